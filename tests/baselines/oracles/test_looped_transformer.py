"""The looped transformer beside its equations in plain loops."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ntmbench.registry import make_model
from tests.baselines.oracles.comparing import (
    INPUTS,
    OUTPUTS,
    assert_same,
    double_inputs,
    double_model,
)

WIDTH, HEADS, LOOPS = 8, 2, 3


def test_looped_transformer_in_plain_loops() -> None:
    """Each step of each sequence attends by itself; without positions."""
    model = double_model(
        "looped_transformer", hidden_size=WIDTH, heads=HEADS, loops=LOOPS, positions="none"
    )
    block, size = model.block, WIDTH // HEADS

    def norm(values: Tensor, scale: Tensor) -> Tensor:
        spread = values - values.mean()
        return scale * spread / torch.sqrt((spread**2).mean() + 1e-5)

    def attended(seen: list[Tensor], t: int) -> Tensor:
        normed = [norm(z, block.attention_norm.weight) for z in seen[: t + 1]]
        read = []
        for head in range(HEADS):
            rows = slice(head * size, (head + 1) * size)
            query = block.attention.query.weight[rows] @ normed[t]
            keys = [block.attention.key.weight[rows] @ u for u in normed]
            values = [block.attention.value.weight[rows] @ u for u in normed]
            shares = torch.exp(torch.stack([query @ key / math.sqrt(size) for key in keys]))
            shares = shares / shares.sum()
            read.append(sum(share * v for share, v in zip(shares, values, strict=True)))
        merged: Tensor = block.attention.merge.weight @ torch.cat(read)
        return merged

    def applied(seen: list[Tensor], t: int) -> Tensor:
        z = seen[t] + attended(seen, t)
        wide = block.widen.weight @ norm(z, block.feedforward_norm.weight) + block.widen.bias
        z = z + block.narrow.weight @ functional.gelu(wide) + block.narrow.bias
        return norm(z, model.norm.weight)

    def by_hand(inputs: Tensor) -> Tensor:
        answers = []
        for sequence in inputs.unbind(1):
            embedded = [model.embed.weight @ x + model.embed.bias for x in sequence]
            state = [torch.zeros_like(e) for e in embedded]
            for _ in range(LOOPS):
                seen = [z + e for z, e in zip(state, embedded, strict=True)]
                state = [applied(seen, t) for t in range(len(seen))]
            answers.append(
                torch.stack([model.output.weight @ z + model.output.bias for z in state])
            )
        return torch.stack(answers, dim=1)

    assert_same(model, model, by_hand)


def test_loops_are_raised_outside_training() -> None:
    settings = {"hidden_size": 8, "loops": 2}
    model: Any = make_model("looped_transformer", INPUTS, OUTPUTS, **settings, test_loops=5)
    few = make_model("looped_transformer", INPUTS, OUTPUTS, **settings)
    many = make_model("looped_transformer", INPUTS, OUTPUTS, hidden_size=8, loops=5)
    inputs = double_inputs().float()
    assert torch.equal(model.train()(inputs), few(inputs))
    assert torch.equal(model.eval()(inputs), many(inputs))
    trace = model.trace(inputs)
    assert trace is not None
    assert trace["attention"].shape == (len(inputs), inputs.shape[1], 5 * 8, len(inputs))
    model.test_loops = 2
    assert torch.equal(model(inputs), few(inputs))
