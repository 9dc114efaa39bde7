"""Words in sentences and notes: numbers of things, and lists of them."""

from __future__ import annotations

from collections.abc import Iterable


def plural(number: int, noun: str) -> str:
    """``1 run``, ``2 runs``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def sentence(text: str) -> str:
    """The text with a capital at its beginning; the rest stays, names of settings included."""
    return f"{text[:1].upper()}{text[1:]}"


def joined(*notes: str) -> str:
    """The notes that say something, as one."""
    return "; ".join(note for note in notes if note)


def listed(items: Iterable[str], most: int = 6) -> str:
    """``a, b, c and 4 more``."""
    names = list(items)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
