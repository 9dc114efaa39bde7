"""Family tree: look among the facts for the one that goes on from a person."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot


def solve(rows: Rows, task: Any) -> Rows:
    symbols = [row.index(1) for row in rows if 1 in row]
    mark = symbols.index(task.names + 2)
    told = [tuple(symbols[at : at + 3]) for at in range(0, mark, 3)]
    person, *relations = symbols[mark + 1 :]
    for relation in relations:
        (person,) = [who for child, of, who in told if (child, of) == (person, relation)]
    return one_hot([person], task.names)


def settings(draw: st.DrawFn) -> Settings:
    longest = draw(st.integers(1, 3))
    return {
        "names": draw(st.integers(24, 30)),
        "min_length": draw(st.integers(1, longest)),
        "max_length": longest,
    }


def steps(length: int) -> int:
    return 3 * (4 * length - 2) + 1 + 1 + length + 1
