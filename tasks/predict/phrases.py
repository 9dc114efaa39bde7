"""The phrases of a made-up language: a probabilistic context-free grammar, and its stacks.

Each rule begins with a word and then puts phrases on a stack, the first one on top. Clauses are
embedded up to a depth, so that the stacks can be numbered: text is drawn, and its probability
computed, by moving from stack to stack.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.vocabulary import made_up

#: The kinds of words, and how many there are of each. "s" is for one and "p" for several; a noun
#: "sp" has the same form for both. Verbs are followed by nothing (1) or by an object (2).
KINDS = {
    "noun-s": 3,
    "noun-p": 3,
    "noun-sp": 2,
    "verb1-s": 2,
    "verb1-p": 2,
    "verb2-s": 2,
    "verb2-p": 2,
    "who": 1,
    ".": 1,
}
_ENDINGS = {"noun-s": "", "noun-p": "n", "noun-sp": "", "verb1-s": "t", "verb1-p": "k"}
_ENDINGS |= {"verb2-s": "t", "verb2-p": "k"}

#: A phrase: its name, its number, and how deep it is embedded.
Phrase = tuple[str, str, int]
#: A rule: its probability, its first word's kind, and the phrases after that.
Rule = tuple[float, str, tuple[Phrase, ...]]

START: Phrase = ("sentence", "", 0)


def rules(phrase: Phrase, depth: int) -> list[Rule]:
    """The rules of a phrase where clauses are embedded up to ``depth`` times.

    - sentence: a noun, what is said of it, and a full stop;
    - said: a verb, and its object if it has one; before it, once, perhaps a clause on the noun;
    - clause, after "who": "who sleeps", "who sees the dogs" or "who the dogs see";
    - sees: the verb of the last of these, whose noun may have a clause of its own;
    - object: a noun, perhaps with a clause on it.
    """
    name, number, deep = phrase
    clause = 0.3 if deep < depth else 0.0
    nouns = [
        (0.4, "noun-s", "s"),
        (0.1, "noun-sp", "s"),
        (0.4, "noun-p", "p"),
        (0.1, "noun-sp", "p"),
    ]
    found: list[Rule]
    match name:
        case "sentence":
            found = [(p, kind, (("said?", of, 0), ("stop", "", 0))) for p, kind, of in nouns]
        case "stop":
            found = [(1.0, ".", (START,))]
        case "said" | "said?":
            found = [
                (0.5, f"verb1-{number}", ()),
                (0.5, f"verb2-{number}", (("object", "", deep),)),
            ]
        case "sees" | "sees?":
            found = [(1.0, f"verb2-{number}", ())]
        case "clause":
            found = [
                *((p / 2, kind, rest) for p, kind, rest in rules(("said", number, deep), depth)),
                *((p / 2, kind, (("sees?", of, deep),)) for p, kind, of in nouns),
            ]
        case "object":
            found = [(p * (1 - clause), kind, ()) for p, kind, of in nouns]
            found += [(p * clause, kind, (("who", of, deep),)) for p, kind, of in nouns]
        case "who":
            found = [(1.0, "who", (("clause", number, deep + 1),))]
        case _:
            raise ValueError(f"There is no phrase {name}.")
    if name.endswith("?"):
        after = (("clause", number, deep + 1), (name[:-1], number, deep))
        found = [(p * (1 - clause), kind, rest) for p, kind, rest in found]
        found.append((clause, "who", after))
    return [rule for rule in found if rule[0] > 0]


@dataclass(frozen=True)
class Stacks:
    """All stacks of N that can come about, and R rules of each; those that it lacks have 0.

    Attributes:
        share: the probability of each rule, ``[N, R]``.
        kind: the kind of its word, ``[N, R]``.
        after: the stack that it leads to, ``[N, R]``. The first stack is that of the beginning.
    """

    share: NDArray[np.float64]
    kind: NDArray[np.int64]
    after: NDArray[np.int64]


@cache
def stacks(depth: int) -> Stacks:
    """The stacks of text with clauses embedded up to ``depth`` times."""
    kinds = list(KINDS)
    number: dict[tuple[Phrase, ...], int] = {(START,): 0}
    waiting: list[tuple[Phrase, ...]] = [(START,)]
    rows: list[list[tuple[float, int, int]]] = []
    for phrases in waiting:  # it grows while it is read
        row = []
        for share, kind, rest in rules(phrases[0], depth):
            stack = (*rest, *phrases[1:])
            if stack not in number:
                number[stack] = len(number)
                waiting.append(stack)
            row.append((share, kinds.index(kind), number[stack]))
        rows.append(row)
    most = max(map(len, rows))
    table = np.array([row + [(0.0, 0, 0)] * (most - len(row)) for row in rows])
    whole = table[..., 1:].astype(np.int64)
    return Stacks(table[..., 0], whole[..., 0], whole[..., 1])


@cache
def vocabulary() -> tuple[str, ...]:
    """The words, kind after kind: made-up stems, with an ending for the number."""
    count = sum(KINDS[kind] for kind in ("noun-s", "noun-sp", "verb1-s", "verb2-s"))
    stems = list(made_up(count))
    of: dict[str, list[str]] = {"who": ["lo"], ".": ["."]}
    for one, several in (
        ("noun-s", "noun-p"),
        ("noun-sp", ""),
        ("verb1-s", "verb1-p"),
        ("verb2-s", "verb2-p"),
    ):
        taken, stems = stems[: KINDS[one]], stems[KINDS[one] :]
        for kind in filter(None, (one, several)):
            of[kind] = [stem + _ENDINGS[kind] for stem in taken]
    return tuple(word for kind in KINDS for word in of[kind])
