"""The families of tasks, in the order in which people are told of them."""

from __future__ import annotations

#: The suite's own, from giving back what was shown to acting on what is remembered.
FAMILIES = (
    "reproduce",
    "associate",
    "order",
    "track",
    "nest",
    "calculate",
    "graphs",
    "predict",
    "translate",
    "reason",
    "learn",
    "disturb",
    "act",
)


def family_place(family: str) -> tuple[int, str]:
    """What families are sorted by: those of third parties come last, by their names."""
    own = FAMILIES.index(family) if family in FAMILIES else len(FAMILIES)
    return own, family
