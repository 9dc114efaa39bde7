"""Kinship: build the family from the facts, person by person, and look where the two stand in it.

A person is known by parents, children, siblings and spouses; what two persons are to each other is
a shortest way between them in that family, whatever facts told of it.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot

#: A man's and a woman's word for each shortest way up (u), down (d), aside (s) or to a spouse (m).
WAYS = {
    "u": "father mother",
    "d": "son daughter",
    "s": "brother sister",
    "m": "husband wife",
    "uu": "grandfather grandmother",
    "dd": "grandson granddaughter",
    "us": "uncle aunt",
    "sd": "nephew niece",
    "usd": "cousin cousin",
    "mu": "father-in-law mother-in-law",
    "dm": "son-in-law daughter-in-law",
    "ms": "brother-in-law sister-in-law",
    "sm": "brother-in-law sister-in-law",
    "msd": "nephew niece",
    "smd": "nephew niece",
}

#: Ways of two facts that are one.
SHORTER = {"ud": "s", "su": "u", "ss": "s", "ds": "d", "du": "m", "md": "d"}

FACT = {"father": "u", "mother": "u", "son": "d", "daughter": "d", "brother": "s", "sister": "s"}
FACT |= {"husband": "m", "wife": "m"}
MEN = {"father", "son", "brother", "husband"}


def solve(rows: Rows, task: Any) -> Rows:
    words = [task.input_names[row.index(1)] for row in rows[:-1]]
    *facts, _, last, first = words
    known = {}
    for place in range(0, len(facts), 3):
        person, said, of = facts[place : place + 3]
        known[person] = (said.removesuffix("-of"), of)
    way, person = "", last
    while person != first:
        said, person = known[person]
        way = FACT[said] + way
    while shorter := [two for two in SHORTER if two in way]:
        way = way.replace(shorter[0], SHORTER[shorter[0]], 1)
    word = WAYS[way].split()[known[last][0] not in MEN]
    return one_hot([task.output_names.index(word)], len(task.output_names))


def settings(draw: st.DrawFn) -> Settings:
    longest = draw(st.integers(1, 4))
    distractors = draw(st.integers(0, 3))
    return {
        "names": 14 + distractors,  # enough for all facts that are selected or tested
        "distractors": distractors,
        "min_length": draw(st.integers(1, longest)),
        "max_length": longest,
    }


def steps(length: int) -> int:
    return 3 * (length + 2) + 4
