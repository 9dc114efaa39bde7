"""The groups from which a command line chooses, in one place."""

from __future__ import annotations

CONFIG_MODULE = "ntmbench.conf"

#: Groups of which every run has one choice, named as in the registry.
NEEDED = ("task", "model")

#: Groups that a run may leave out, as in ``~recipe``; later ones override earlier ones.
#: conf/config.yaml says which choices a task and a model come with.
OPTIONAL = ("budget", "model_recipe", "family_recipe", "recipe")

#: The group of whole sweeps.
EXPERIMENT = "experiment"
