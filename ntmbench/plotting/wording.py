"""What scores are called, by what a task's answers are made of: bits, symbols or numbers.

``unit`` is that of the task's ``Answer``. None stands for several units at once, and errors are
then called just that.
"""

from __future__ import annotations


def errors(unit: str | None) -> str:
    """``wrong bits``, or ``errors`` of several units."""
    return "errors" if unit is None else f"wrong {unit}s"


def error(unit: str | None) -> str:
    """One of them: ``wrong bit`` or ``error``."""
    return "error" if unit is None else f"wrong {unit}"


def an_error(unit: str | None) -> str:
    """``a wrong bit`` or ``an error``."""
    return f"{'an' if unit is None else 'a'} {error(unit)}"


def score(column: str, unit: str | None) -> str:
    """The score in a column of ``evaluation.csv``: errors, loss_bits or exact_match."""
    named = {
        "errors": errors(unit),
        "loss_bits": "loss bits",
        "exact_match": f"sequences without {an_error(unit)}",
    }
    return named[column]


def axis(column: str, unit: str | None) -> str:
    """The same with what it is counted over."""
    told = score(column, unit)
    return told if column == "exact_match" else f"{told} per sequence"
