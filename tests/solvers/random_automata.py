"""Random automata: each automaton that is still possible, with its weight in each state."""

from __future__ import annotations

from itertools import permutations, product
from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, training_lengths


def solve(rows: Rows, task: Any) -> Rows:
    states = range(task.symbols)
    automata = product(permutations(states), repeat=task.symbols)
    weights = {moves: [1.0 for _ in states] for moves in automata}
    answers = []
    for step, row in enumerate(rows):
        symbol = row.index(1)
        if symbol == task.symbols:
            weights = {moves: [sum(each)] * len(each) for moves, each in weights.items()}
        else:
            weights = {moves: after(each, symbol, moves) for moves, each in weights.items()}
        total = sum(map(sum, weights.values()))
        weights = {
            moves: [weight / total for weight in each]
            for moves, each in weights.items()
            if any(each)
        }
        if (step + 1) % (task.size + 1):
            in_state = [sum(each[state] for each in weights.values()) for state in states]
            others = [in_state[:state] + in_state[state + 1 :] for state in states]
            answers.append([sum(weights_of) / (task.symbols - 1) for weights_of in others])
    return answers


def after(before: list[float], symbol: int, moves: tuple[tuple[int, ...], ...]) -> list[float]:
    moved = [0.0] * len(before)
    for state, weight in enumerate(before):
        if state != symbol:
            moved[moves[symbol][state]] = weight
    return moved


def settings(draw: st.DrawFn) -> Settings:
    return {
        "symbols": draw(st.integers(2, 3)),
        "size": draw(st.integers(1, 3)),
        **training_lengths(draw),
    }


def steps(length: int) -> int:
    return length * (1 + 8)
