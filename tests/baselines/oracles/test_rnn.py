"""The simple recurrent network beside its equations, unrolled by hand."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.baselines.oracles.comparing import assert_same, double_model


def test_rnn_unrolled_by_hand() -> None:
    model = double_model("rnn", hidden_size=5, layers=2)

    def by_hand(inputs: Tensor) -> Tensor:
        below = list(inputs)
        for layer in range(2):
            w, u, b, c = model.rnn.all_weights[layer]
            hidden = inputs.new_zeros(inputs.shape[1], 5)
            above = []
            for x in below:
                hidden = torch.tanh(x @ w.T + b + hidden @ u.T + c)
                above.append(hidden)
            below = above
        logits: Tensor = torch.stack(below) @ model.output.weight.T + model.output.bias
        return logits

    assert_same(model, model, by_hand)
    assert model.state_floats(9) == 2 * 5
