"""``python -m ntmbench.search``: the settings of a model on a task that do best in validation."""
