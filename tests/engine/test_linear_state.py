"""The recurrence of matrix states: its answers, their gradients, and what each is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ntmbench.engine.linear_state import influences, linear_state

STEPS, BATCH, HEADS, KEYS, VALUES = 6, 2, 3, 4, 5

#: The kinds of A_t: decay none, scalar or diagonal, with and without erasing.
KINDS = [(decay, erase) for decay in ("none", "scalar", "diagonal") for erase in (False, True)]


def operands(decay: str, erase: bool, every: int) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(7)

    def draw(steps: int, *shape: int) -> Tensor:
        return torch.randn(steps, BATCH, HEADS, *shape, generator=generator, dtype=torch.float64)

    drawn: dict[str, Any] = {
        "query": draw(STEPS // every, KEYS),
        "key": draw(STEPS, KEYS),
        "value": draw(STEPS, VALUES),
    }
    if decay != "none":
        drawn["decay"] = torch.sigmoid(draw(STEPS, *([KEYS] if decay == "diagonal" else [])))
    if erase:
        drawn["erase"] = draw(STEPS, KEYS), 0.3 * draw(STEPS, KEYS)
    return drawn


@pytest.mark.parametrize("every", [1, 2])
@pytest.mark.parametrize(("decay", "erase"), KINDS)
def test_answers_are_those_of_the_equations(decay: str, erase: bool, every: int) -> None:
    made = operands(decay, erase, every)
    start = torch.ones(BATCH, HEADS, VALUES, KEYS, dtype=torch.float64)
    answers, last = linear_state(**made, state=start, every=every)
    for b in range(BATCH):
        for h in range(HEADS):
            state = start[b, h].numpy()
            for t in range(STEPS):
                matrix = np.eye(KEYS)
                if decay != "none":
                    matrix = np.diag(np.broadcast_to(made["decay"][t, b, h].numpy(), KEYS))
                if erase:
                    a, e = (part[t, b, h].numpy() for part in made["erase"])
                    matrix = matrix - np.outer(a, e)
                state = state @ matrix + np.outer(made["value"][t, b, h], made["key"][t, b, h])
                if (t + 1) % every == 0:
                    expected = state @ made["query"][t // every, b, h].numpy()
                    np.testing.assert_allclose(answers[t // every, b, h], expected)
            np.testing.assert_allclose(last[b, h], state)


@pytest.mark.parametrize("every", [1, 2])
@pytest.mark.parametrize(("decay", "erase"), KINDS)
def test_an_answer_is_the_sum_of_values_by_their_influence(
    decay: str, erase: bool, every: int
) -> None:
    made = operands(decay, erase, every)
    answers, _ = linear_state(**made, every=every)
    values = made.pop("value")
    weights = influences(**made, every=every)
    assert weights.shape == (STEPS // every, BATCH, HEADS, STEPS)
    torch.testing.assert_close(torch.einsum("tbhs,sbhv->tbhv", weights, values), answers)
    moved = values.clone()
    moved[2] += 1e-3
    slope = (linear_state(**made, value=moved, every=every)[0] - answers) / 1e-3
    torch.testing.assert_close(slope, weights[..., 2:3].expand_as(slope), rtol=1e-6, atol=1e-9)


def test_nothing_later_has_an_influence() -> None:
    made = operands("diagonal", True, 1)
    del made["value"]
    weights = influences(**made)
    later = torch.triu(torch.ones(STEPS, STEPS, dtype=torch.bool), 1)
    assert not weights.permute(1, 2, 0, 3)[..., later].any()
