"""Stories: keep a list of the places of each person and thing while the facts are told."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot


def solve(rows: Rows, task: Any) -> Rows:
    words = [task.input_names[row.index(1)] for row in rows[:-1]]
    *facts, question, asked = words
    places: dict[str, list[str]] = {word: [] for word in task.input_names}
    carried: dict[str, set[str]] = {word: set() for word in task.input_names}
    for step in range(0, len(facts), 3):
        person, verb, what = facts[step : step + 3]
        if verb == "took":
            carried[person].add(what)
            places[what] += places[person][-1:]
        elif verb == "dropped":
            carried[person].remove(what)
        else:
            for mover in (person, *carried[person]):
                places[mover].append(what)
    place = places[asked][-1 if question == "where-is" else -2]
    return one_hot([task.output_names.index(place)], task.places)


def settings(draw: st.DrawFn) -> Settings:
    supporting = draw(st.integers(1, 3))
    longest = supporting + draw(st.integers(0, 5))
    return {
        "persons": draw(st.integers(1, 3)),
        "things": draw(st.integers(1, 3)),
        "places": draw(st.integers(3, 5)),
        "supporting": supporting,
        "min_length": draw(st.integers(supporting, longest)),
        "max_length": longest,
    }


def steps(length: int) -> int:
    return 3 * length + 3
