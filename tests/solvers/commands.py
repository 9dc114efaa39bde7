"""Commands: carry out one command after the other, and put its actions behind or in front."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot

TIMES = {"twice": 2, "thrice": 3}


def solve(rows: Rows, task: Any) -> Rows:
    words = [task.input_names[row.index(1)] for row in rows if 1 in row]
    done: list[str] = []
    joined, command = "and", list[str]()
    for word in words:
        if word not in ("and", "after", "|"):
            command.append(word)
            continue
        verb, *rest = command
        turns = [side.upper() for side in rest if side in ("left", "right")]
        once = turns * (2 if "opposite" in rest else 1) + [verb.upper()]
        actions = once * max(TIMES.get(last, 1) for last in command)
        done = actions + done if joined == "after" else done + actions
        joined, command = word, []
    symbols = [task.output_names.index(action) for action in [*done, "|"]]
    return one_hot(symbols, len(task.output_names))


def settings(draw: st.DrawFn) -> Settings:
    longest = draw(st.integers(1, 3))
    return {
        "verbs": draw(st.integers(2, 6)),
        "min_length": draw(st.integers(1, longest)),
        "max_length": longest,
    }


def steps(length: int) -> int:
    return 5 * length + 9 * length + 1
