"""The forms in PyTorch operations: against plain loops, each other and finite differences."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor

from ntmbench.engine.linear_state import linear_state_chunked, linear_state_eager
from tests.engine.linear_state.drawing import Case, draw, leaves

CASES = [
    Case(decay, erase, every, state)
    for decay, erase, every, state in product(
        ("none", "scalar", "diagonal"), (False, True), (1, 2), (False, True)
    )
]
each = pytest.mark.parametrize("case", CASES, ids=str)


def by_matrices(drawn: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """The equations with A_t written out, for each sequence and head by itself."""
    key, value, every = drawn["key"], drawn["value"], drawn["every"]
    steps, batch, heads, width = key.shape
    outputs = key.new_zeros(steps // every, batch, heads, value.shape[-1])
    last = key.new_zeros(batch, heads, value.shape[-1], width)
    for b, h in product(range(batch), range(heads)):
        state = drawn["state"][b, h] if "state" in drawn else last[b, h]
        for t in range(steps):
            transition = torch.eye(width, dtype=key.dtype)
            if "decay" in drawn:
                transition = transition * drawn["decay"][t, b, h]
            if "erase" in drawn:
                transition = transition - torch.outer(*(x[t, b, h] for x in drawn["erase"]))
            state = state @ transition + torch.outer(value[t, b, h], key[t, b, h])
            if (t + 1) % every == 0:
                outputs[t // every, b, h] = state @ drawn["query"][t // every, b, h]
        last[b, h] = state
    return outputs, last


@each
def test_eager_is_the_equations(case: Case) -> None:
    drawn = draw(case)
    torch.testing.assert_close(linear_state_eager(**drawn), by_matrices(drawn))


@each
def test_chunks_give_the_same(case: Case) -> None:
    drawn = draw(case)
    for chunk in (1, 4, 100):
        torch.testing.assert_close(
            linear_state_chunked(**drawn, chunk=chunk), linear_state_eager(**drawn)
        )


@pytest.mark.parametrize("form", [linear_state_eager, linear_state_chunked])
def test_gradients(form: Any) -> None:
    drawn = draw(Case("diagonal", True, 2, True, steps=4, batch=1, heads=1, keys=3, values=2))
    query, key, value, decay, a, b, state = leaves(drawn)

    def run(*tensors: Tensor) -> Any:
        query, key, value, decay, a, b, state = tensors
        return form(query, key, value, decay=decay, erase=(a, b), state=state, every=2)

    assert torch.autograd.gradcheck(run, (query, key, value, decay, a, b, state))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"query": torch.zeros(5, 2, 2, 5)}, r"query must be \[6, 2, 2, 5\].*got \[5, 2, 2, 5\]"),
        ({"decay": torch.zeros(6, 2, 2, 4)}, r"decay must be \[6, 2, 2, 5\]"),
        ({"every": 4}, "divide the 6 steps; got 4"),
        ({"key": torch.zeros(0, 2, 2, 5)}, "none of them 0"),
    ],
)
def test_sizes_that_do_not_go_together(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        linear_state_eager(**(draw(Case()) | wrong))
