"""Numbers as text for people: short, and never rounded to something better than they are."""

from __future__ import annotations

import math


def count(value: float) -> str:
    """``12000 -> 12,000``."""
    return "" if math.isnan(value) else f"{value:,.0f}"


def score(value: float) -> str:
    """Three significant digits; only zero itself is written as 0.

    ``0.0 -> 0``, ``0.00004 -> <0.001``, ``0.0123 -> 0.0123``, ``127.72 -> 127.7``.
    """
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "not finite"
    if value == 0:
        return "0"
    if value < 0.001:
        return "<0.001"
    if value >= 100:
        return f"{value:,.1f}"
    # What is rounded up to the next power of ten has a digit less behind the point.
    rounded = float(f"{value:.2e}")
    return f"{value:.{max(1, 2 - math.floor(math.log10(rounded)))}f}"


def rate(value: float) -> str:
    """Whole numbers from ten on; three significant digits below."""
    return score(value) if math.isnan(value) or value < 10 else count(value)


def share(value: float) -> str:
    """Per cent, rounded down: only what is whole is written as 100%, and zero alone as 0%."""
    if 0 < value < 0.001:
        return "<0.1%"
    return f"{math.floor(value * 1000) / 10:g}%"


def upper_share(value: float) -> str:
    """Per cent, rounded up: of upper bounds, and of mistakes."""
    return f"{math.ceil(value * 1000 - 1e-9) / 10:g}%"


def sequences(value: float, budget: float, *, unfinished: bool) -> str:
    """Training sequences until something happened; infinite where it did not.

    That is told as more than the budget, unless some runs may still get there.
    """
    if math.isinf(value):
        return "not yet" if unfinished else f"> {count(budget)}"
    return count(value)


def duration(seconds: float) -> str:
    """``0.3 -> <1 s``, ``42 -> 42 s``, ``600 -> 10 min``, ``9000 -> 2.5 h``."""
    if math.isnan(seconds):
        return ""
    if 0 < seconds < 1:
        return "<1 s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def p_value(value: float) -> str:
    """Two significant digits, rounded up; ``<0.001`` below that."""
    if math.isnan(value):
        return ""
    if value < 0.001:
        return "<0.001"
    digits = 2 - math.ceil(math.log10(value))
    return f"{math.ceil(value * 10**digits - 1e-9) / 10**digits:.{max(digits, 0)}f}"
