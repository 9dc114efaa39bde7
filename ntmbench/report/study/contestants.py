"""Which models compete, and which are controls: there to judge the others by."""

from __future__ import annotations

from ntmbench.registry import model_entry, model_names

#: The controls that the report makes demands on, see ``controls``.
JUDGED = ("oracle", "constant", "memoryless")


def is_control(model: str) -> bool:
    """Whether a model is registered as a control.

    Of one that is not installed here no more is known than its name: JUDGED are controls even so.
    """
    return model_entry(model).control if model in model_names() else model in JUDGED
