"""Grammar: prefix probabilities by the inside algorithm, sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, training_lengths

#: How many words there are of each kind, in the order of the channels.
KINDS = {
    "noun one": 3,
    "noun several": 3,
    "noun both": 2,
    "verb one": 2,
    "verb several": 2,
    "verb one object": 2,
    "verb several object": 2,
    "who": 1,
    ".": 1,
}
KIND_OF = [kind for kind, count in KINDS.items() for _ in range(count)]

#: A name, a number and a depth.
Phrase = tuple[str, str, int]
#: A probability, the kind of the first word, and the phrases after it.
Rule = tuple[float, str, tuple[Phrase, ...]]

START: Phrase = ("sentence", "", 0)


def nouns() -> Iterator[tuple[float, str, str]]:
    """The probability, the kind and the number of each noun."""
    for number in ("one", "several"):
        yield 1 / 2 * 4 / 5, f"noun {number}", number
        yield 1 / 2 * 1 / 5, "noun both", number


def with_clause(number: str, deep: int, depth: int) -> list[tuple[float, tuple[Phrase, ...]]]:
    """A clause that may be there or not."""
    if deep >= depth:
        return [(1.0, ())]
    return [(0.7, ()), (0.3, (("clause", number, deep),))]


def rules(phrase: Phrase, depth: int) -> Iterator[Rule]:
    """The rules of a phrase, each with its first word's kind."""
    name, number, deep = phrase
    match name:
        case "sentence":
            for share, kind, of in nouns():
                for more, clause in with_clause(of, 0, depth):
                    yield share * more, kind, (*clause, ("verb", of, 0), ("stop", "", 0))
        case "stop":
            yield 1.0, ".", ()
        case "verb":
            yield 1 / 2, f"verb {number}", ()
            yield 1 / 2, f"verb {number} object", (("object", "", deep),)
        case "object":
            for share, kind, of in nouns():
                for more, clause in with_clause(of, deep, depth):
                    yield share * more, kind, clause
        case "clause":
            yield 1.0, "who", (("after who", number, deep + 1),)
        case "after who":
            for share, kind, rest in rules(("verb", number, deep), depth):
                yield share / 2, kind, rest
            for share, kind, of in nouns():
                for more, clause in with_clause(of, deep, depth):
                    yield share * more / 2, kind, (*clause, ("seeing", of, 0))
        case "seeing":
            yield 1.0, f"verb {number} object", ()
        case _:
            raise AssertionError(name)


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
