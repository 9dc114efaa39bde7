"""The groups from which a command line chooses, in one place."""

from __future__ import annotations

CONFIG_MODULE = "ntmbench.conf"

#: What every run has one of, by the names of the registry.
NEEDED = ("task", "model")

#: What a run may do without, as in ``~recipe``; the later has the last word. conf/config.yaml says
#: which of each a task and a model come with.
OPTIONAL = ("budget", "model_recipe", "family_recipe", "recipe")

#: Whole sweeps.
EXPERIMENT = "experiment"
