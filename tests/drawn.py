"""Settings of a task drawn at random, always the same ones, from what its refusals allow."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from ntmbench.data.randomness import RandomWords, Stream, stable_id
from ntmbench.errors import SettingError
from ntmbench.registry import make_task

#: So often a setting is moved to where a refusal allows it.
REPAIRS = 20


def drawn_settings(name: str, number: int) -> dict[str, Any]:
    """Settings that a task accepts: numbers about half to twice as large as by default."""
    words = RandomWords(Stream.STATISTICS, stable_id(name), number)
    defaults = dataclasses.asdict(make_task(name))  # type: ignore[call-overload]
    chosen = {field: _drawn(name, field, value, words) for field, value in defaults.items()}
    for _ in range(REPAIRS):
        refusal = refusal_of(name, **chosen)
        if not refusal:
            return chosen
        field, low, high = _allowed(refusal)
        chosen[field] = type(defaults[field])(min(max(chosen[field], low), high))
    raise AssertionError(f"{name} refuses {chosen}: {refusal}")


def refusal_of(name: str, **chosen: Any) -> str:
    """What a task says of settings that it refuses; nothing where it accepts them."""
    try:
        make_task(name, **chosen)
    except SettingError as refusal:
        return str(refusal)
    return ""


def _drawn(name: str, field: str, default: Any, words: RandomWords) -> Any:
    if isinstance(default, bool):
        return words.integer(0, 1) == 1
    if isinstance(default, str):
        _, _, allowed = refusal_of(name, **{field: "?"}).partition("Allowed: ")
        choices = allowed.rstrip(".").split(", ")
        return choices[words.integer(0, len(choices) - 1)]
    if isinstance(default, int):
        # Long sequences would take long, and say no more.
        most = default if field == "max_length" else 2 * default + 1
        return words.integer(default // 2, most)
    return default * 2 ** (2 * float(words.uniform(1)[0]) - 1)


def _allowed(refusal: str) -> tuple[str, float, float]:
    """The setting that is refused, and the least and the greatest number that it may be."""
    field = re.match(r"task\.(\w+)=", refusal)
    assert field, refusal
    if such := re.search(r"such as (\d+)\.$", refusal):
        return field[1], int(such[1]), int(such[1])
    allowed = re.search(r"Allowed: from (\S+) to (\S+)\.$", refusal)
    assert allowed, refusal
    return field[1], float(allowed[1]), float(allowed[2])
