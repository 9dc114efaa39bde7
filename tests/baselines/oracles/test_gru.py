"""The network of gated recurrent units beside its equations, unrolled by hand."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.baselines.oracles.comparing import assert_same, double_model


def test_gru_unrolled_by_hand() -> None:
    model = double_model("gru", hidden_size=5, layers=2)

    def by_hand(inputs: Tensor) -> Tensor:
        below = list(inputs)
        for layer in range(2):
            w, u, b, c = (weights.chunk(3) for weights in model.gru.all_weights[layer])
            hidden = inputs.new_zeros(inputs.shape[1], 5)
            above = []
            for x in below:
                seen = [x @ w[gate].T + b[gate] for gate in range(3)]
                kept = [hidden @ u[gate].T + c[gate] for gate in range(3)]
                reset = torch.sigmoid(seen[0] + kept[0])
                update = torch.sigmoid(seen[1] + kept[1])
                new = torch.tanh(seen[2] + reset * kept[2])
                hidden = (1 - update) * new + update * hidden
                above.append(hidden)
            below = above
        logits: Tensor = torch.stack(below) @ model.output.weight.T + model.output.bias
        return logits

    assert_same(model, model, by_hand)
    assert model.state_floats(9) == 2 * 5
