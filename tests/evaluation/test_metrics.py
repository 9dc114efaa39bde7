"""The three figures, against numbers worked by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ntmbench.answer import Bits
from ntmbench.evaluation.scores import Scores, errors, loss_bits, pool, score, scored, step_errors
from ntmbench.model import TensorBatch


def logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


# Three steps, two sequences, two channels; the first step is not scored, nor is the last step of
# the second sequence.
PROBABILITIES = [
    [[0.1, 0.9], [0.2, 0.2]],
    [[0.75, 0.25], [0.5, 0.875]],
    [[0.5, 0.9375], [0.9, 0.9]],
]
LOGITS = torch.tensor([[[logit(p) for p in row] for row in step] for step in PROBABILITIES])
TARGETS = torch.tensor([[[1, 0], [1, 1]], [[1, 1], [0, 1]], [[0, 0], [0, 0]]]).float()
MASK = torch.tensor([[0, 0], [1, 1], [1, 0]]).float()
TWO, ONE = Bits(2), Bits(1)


def batch(targets: Tensor, mask: Tensor) -> TensorBatch:
    return TensorBatch(torch.zeros(*mask.shape, 1), targets, mask, 0)


BATCH = batch(TARGETS, MASK)


def test_loss_bits_by_hand() -> None:
    first = -math.log2(0.75) - math.log2(0.25) - math.log2(0.5) - math.log2(0.0625)
    second = -math.log2(0.5) - math.log2(0.875)
    assert loss_bits(TWO, LOGITS, BATCH).tolist() == pytest.approx([first, second])


def test_errors_by_hand() -> None:
    """A probability of exactly one half counts as a zero."""
    assert errors(TWO, LOGITS, BATCH).tolist() == [2, 0]


def test_scored_answers_by_hand() -> None:
    assert scored(TWO, BATCH).tolist() == [4, 2]


def test_score_by_hand() -> None:
    scores = score(TWO, LOGITS, BATCH)
    assert (scores.sequences, scores.errors, scores.exact_match) == (2, 1, 0.5)
    assert scores.scored == 3
    assert scores.loss_bits == pytest.approx(loss_bits(TWO, LOGITS, BATCH).mean().item())


def test_pool_weights_each_part_by_its_sequences() -> None:
    pooled = pool([Scores(3, 1, 2, 0, 8), Scores(1, 5, 6, 1, 4)])
    assert pooled == Scores(4, 2, 3, 0.25, 7)


def test_parts_pool_to_the_whole() -> None:
    whole = score(TWO, LOGITS, BATCH)
    parts = [score(TWO, LOGITS[:, [i]], batch(TARGETS[:, [i]], MASK[:, [i]])) for i in range(2)]
    pooled = pool(parts)
    assert vars(pooled) == pytest.approx(vars(whole))


@pytest.mark.parametrize(("value", "bits"), [(1e4, 0.0), (-1e4, 1e4 / math.log(2))])
def test_extreme_logits_give_finite_losses(value: float, bits: float) -> None:
    logits = torch.full((1, 1, 1), value)
    loss = loss_bits(ONE, logits, batch(torch.ones(1, 1, 1), torch.ones(1, 1)))
    assert loss.item() == pytest.approx(bits)


def test_chance_costs_one_bit_each() -> None:
    targets = torch.tensor([[[0.0, 1.0, 1.0]]])
    logits: Tensor = torch.zeros(1, 1, 3)
    assert loss_bits(Bits(3), logits, batch(targets, torch.ones(1, 1))).item() == pytest.approx(3)


def test_not_a_number_is_not_hidden() -> None:
    logits = torch.full((1, 1, 1), math.nan)
    for targets in (torch.zeros(1, 1, 1), torch.ones(1, 1, 1)):
        scores = score(ONE, logits, batch(targets, torch.ones(1, 1)))
        assert math.isnan(scores.loss_bits)
        assert (scores.errors, scores.exact_match) == (1, 0)
        assert step_errors(ONE, logits, batch(targets, torch.ones(1, 1))).errors.tolist() == [1]
