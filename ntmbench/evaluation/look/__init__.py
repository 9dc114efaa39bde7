"""A look inside a trained model: which answers are wrong, and where its memory was used.

``looking`` runs a model on validation data, ``answers`` and ``places`` tell what it did at each
step, and ``bins`` and ``heads`` sum this up in two small tables.
"""
