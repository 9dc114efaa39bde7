"""Tasks that are learned within a sequence, from the examples that it shows."""
