"""Repeat previous: a queue of suits that gives one out from the step of the sign on."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    suit_of = [suit for suit in range(task.suits) for _ in range(task.ranks)]
    queue, named, begun = [], [], False
    for *card, sign in rows:
        queue.append(suit_of[card.index(1)])
        begun = begun or sign == 1
        if begun:
            named.append(queue.pop(0))
    return one_hot(named, task.suits)


def settings(draw: st.DrawFn) -> Settings:
    return {
        "suits": draw(st.integers(2, 6)),
        "ranks": draw(st.integers(1, 5)),
        "answers": draw(st.integers(1, 8)),
        **training_lengths(draw),
    }


def steps(length: int) -> int:
    return length + 20
