"""Linear attention against fla-core."""

from __future__ import annotations

import torch
from torch import Tensor

from ntmbench.baselines.linear.blocks import Operands
from ntmbench.baselines.linear.linear_attention import sinusoids
from tests.baselines.oracles import fla
from tests.baselines.oracles.mixers import batch_first, check_same, first_mixer, inputs


def test_linear_attention_is_that_of_fla() -> None:
    theirs = fla.load("linear_attn/naive.py").naive_recurrent_linear_attn
    mixer = first_mixer("linear_attention", hidden_size=6)

    def read(made: Operands) -> Tensor:
        operands = (
            batch_first(made.query),
            batch_first(made.key),
            batch_first(made.value)[..., :-1],
        )
        answers, _ = theirs(*operands, normalize=True)
        return batch_first(answers).flatten(2)

    hidden = inputs(6)
    expected = mixer.output(read(mixer.operands(hidden)))
    check_same(mixer(hidden), expected, mixer, hidden)


def test_positions_are_told_apart_beyond_any_training_length() -> None:
    places = sinusoids(5000, 16)
    distances = torch.cdist(places[-100:], places[:-100])
    assert distances.min() > 0.01
    torch.testing.assert_close(places[0], torch.tensor([0.0, 1.0] * 8, dtype=torch.float64))
