"""Stories: keep lists of places, and who has and gave what, while the facts are told."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot

NUMBERS = ["none", "one", "two", "three", "four", "five"]


def solve(rows: Rows, task: Any) -> Rows:
    words = [task.input_names[row.index(1)] for row in rows[:-1]]
    *told, question, about, place = words
    places: dict[str, list[str]] = {word: [] for word in task.input_names}
    holder: dict[str, str] = {}
    giver: dict[str, str] = {}
    for step in range(0, len(told), 4):
        person, verb, what, end = told[step : step + 4]
        assert (end == ".") == (verb != "gave")
        match verb:
            case "went-to":
                assert places[person][-1:] != [what]
                for mover in (person, *(thing for thing in holder if holder[thing] == person)):
                    places[mover].append(what)
            case "took":
                assert what not in holder
                holder[what] = person
                places[what] += places[person][-1:]
            case "dropped":
                assert holder[what] == person
                holder[what] = ""
            case "gave":
                assert holder[what] == person != end
                holder[what], giver[what] = end, person
    match question:
        case "where-is":
            answer = places[about][-1]
        case "where-was":
            answer = places[about][-2]
        case "who-has":
            answer = holder[about]
        case "who-gave":
            answer = giver[about]
        case "is":
            answer = "yes" if places[about][-1] == place else "no"
        case "how-many":
            answer = NUMBERS[list(holder.values()).count(about)]
        case _:
            raise AssertionError(question)
    assert (place == "?") == (question != "is")
    if question.startswith("where"):
        assert about not in giver, "it could be anywhere"
    return one_hot([task.output_names.index(answer)], task.output_width)


def settings(draw: st.DrawFn) -> Settings:
    longest = draw(st.integers(3, 8))
    kinds = ["all", "where_person", "where_thing", "where_was", "who_has", "who_gave"]
    return {
        "persons": draw(st.integers(2, 4)),
        "things": draw(st.integers(1, 3)),
        "places": draw(st.integers(3, 5)),
        "question": draw(st.sampled_from([*kinds, "is_there", "how_many"])),
        "min_length": draw(st.integers(3, longest)),
        "max_length": longest,
    }


def steps(length: int) -> int:
    return 4 * length + 3 + 1
