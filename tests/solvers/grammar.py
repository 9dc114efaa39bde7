"""Grammar: prefix probabilities by the inside algorithm, sentence by sentence."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from hypothesis import strategies as st

from ntmbench.tasks.predict.phrases import KINDS, START, Phrase, rules
from tests.solvers import Rows, Settings, training_lengths

KIND_OF = [kind for kind, count in KINDS.items() for _ in range(count)]


@cache
def inside(phrases: tuple[Phrase, ...], kinds: tuple[str, ...], depth: int) -> float:
    """The probability that phrases in a row are words of just these kinds."""
    if not phrases:
        return float(not kinds)
    first, *others = phrases
    if others:
        splits = range(1, len(kinds))
        return sum(
            inside((first,), kinds[:split], depth) * inside((*others,), kinds[split:], depth)
            for split in splits
        )
    if not kinds:
        return 0.0
    parts: list[float] = [
        share * inside(rest, kinds[1:], depth)
        for share, kind, rest in rules(first, depth)
        if kind == kinds[0]
    ]
    return sum(parts)


@cache
def prefix(phrases: tuple[Phrase, ...], kinds: tuple[str, ...], depth: int) -> float:
    """The probability that phrases in a row begin with words of these kinds."""
    if not kinds:
        return 1.0
    if not phrases:
        return 0.0
    first, *others = phrases
    if others:
        ended = sum(
            inside((first,), kinds[:split], depth) * prefix((*others,), kinds[split:], depth)
            for split in range(1, len(kinds))
        )
        return ended + prefix((first,), kinds, depth)
    parts: list[float] = [
        share * prefix(rest, kinds[1:], depth)
        for share, kind, rest in rules(first, depth)
        if kind == kinds[0]
    ]
    return sum(parts)


@cache
def following(kinds: tuple[str, ...], depth: int) -> Sequence[float]:
    """The probability of each word after words of these kinds, in one sentence."""
    now = prefix((START,), kinds, depth)
    by_kind = {kind: prefix((START,), (*kinds, kind), depth) / now for kind in KINDS}
    return [by_kind[kind] / KINDS[kind] for kind in KIND_OF]


def solve(rows: Rows, task: Any) -> Rows:
    kinds: tuple[str, ...] = ()
    answers = []
    for row in rows:
        kind = KIND_OF[row.index(1)]
        kinds = () if kind == "." else (*kinds, kind)
        answers.append([*following(kinds, task.depth)])
    return answers


def settings(draw: st.DrawFn) -> Settings:
    return {"depth": draw(st.integers(0, 2)), **training_lengths(draw, shortest=2)}


def steps(length: int) -> int:
    return length - 1
