"""The kinds of answer: loss, slope, errors and decisions, by hand and against PyTorch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from ntmbench.answer import Answer, Bits, Chance, Drawn, Reals, Symbols
from ntmbench.errors import SettingError

STEPS, SIZE = 6, 4


def logits_of(width: int) -> Tensor:
    return 3 * torch.randn(
        STEPS, SIZE, width, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )


def targets_of(answer: Answer) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    if isinstance(answer, Symbols):
        chosen = torch.randint(0, answer.count, (STEPS, SIZE), generator=generator)
        return functional.one_hot(chosen, answer.count).double()
    values = torch.randn(STEPS, SIZE, answer.channels, generator=generator, dtype=torch.float64)
    return values if isinstance(answer, Reals) else (values > 0).double()


KINDS: list[Answer] = [Bits(1), Bits(5), Symbols(2), Symbols(7), Reals(1, 0.1), Reals(3, 2.0)]


@pytest.mark.parametrize("answer", KINDS, ids=str)
def test_slope_is_the_derivative_of_the_loss(answer: Answer) -> None:
    logits, targets = logits_of(answer.channels).requires_grad_(), targets_of(answer)
    (expected,) = torch.autograd.grad(answer.nats(logits, targets).sum(), logits)
    torch.testing.assert_close(answer.slope(logits.detach(), targets), expected)


@pytest.mark.parametrize("answer", KINDS, ids=str)
def test_an_oracles_answer_is_right_and_costs_nothing(answer: Answer) -> None:
    targets = targets_of(answer)
    logits = answer.logits_of(targets)
    assert torch.isfinite(logits).all()
    assert not answer.errors(logits, targets).any()
    assert answer.nats(logits, targets).max() < 1e-6
    torch.testing.assert_close(answer.decide(logits), targets)


@pytest.mark.parametrize("answer", KINDS, ids=str)
def test_not_a_number_is_wrong(answer: Answer) -> None:
    logits, targets = logits_of(answer.channels), targets_of(answer)
    logits[2] = math.nan
    assert (answer.errors(logits, targets)[2] == answer.answers_per_step).all()


@pytest.mark.parametrize("answer", KINDS, ids=str)
def test_targets_of_its_own_kind_pass(answer: Answer) -> None:
    targets = targets_of(answer).flatten(0, 1).numpy()
    answer.check_targets(targets)
    answer.check_solved(targets)


@pytest.mark.parametrize(
    ("answer", "row", "wrong"),
    [
        (Bits(2), [0.0, 0.5], "targets hold other numbers than 0 and 1"),
        (Symbols(2), [0.5, 0.5], "targets hold other numbers than 0 and 1"),
        (Symbols(2), [1.0, 1.0], "a target is not one symbol"),
        (Symbols(2), [0.0, 0.0], "a target is not one symbol"),
        (Reals(2, 0.1), [0.0, math.inf], "a target is not finite"),
    ],
)
def test_targets_of_another_kind_are_refused(answer: Answer, row: list[float], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        answer.check_targets(np.array([row], np.float32))


@pytest.mark.parametrize(
    ("answer", "row", "wrong"),
    [
        (Bits(2), [0.5, 1.5], "an answer is not a probability"),
        (Bits(2), [0.5, math.nan], "an answer is not a probability"),
        (Symbols(2), [-0.5, 1.5], "an answer is not a probability"),
        (Symbols(2), [0.5, 0.4], "the probabilities of the symbols do not add up to 1"),
        (Reals(2, 0.1), [0.0, math.nan], "an answer is not finite"),
    ],
)
def test_what_no_oracle_may_answer(answer: Answer, row: list[float], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        answer.check_solved(np.array([row], np.float32))


def test_what_a_picture_must_know() -> None:
    assert Bits(2).drawn() == Drawn("bits")
    assert Symbols(2).drawn() == Drawn("symbols")
    assert Reals(2, 0.1).drawn() == Drawn("reals", 0.1)


def test_bits_against_pytorch() -> None:
    logits, targets = logits_of(5), targets_of(Bits(5))
    expected = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    torch.testing.assert_close(Bits(5).nats(logits, targets), expected.sum(dim=2))
    wrong = ((torch.sigmoid(logits) > 0.5) != (targets > 0.5)).sum(dim=2)
    assert torch.equal(Bits(5).errors(logits, targets), wrong)
    torch.testing.assert_close(Bits(5).shown(logits), torch.sigmoid(logits))


def test_symbols_against_pytorch() -> None:
    answer = Symbols(7)
    logits, targets = logits_of(7), targets_of(answer)
    expected = functional.cross_entropy(
        logits.flatten(0, 1), targets.argmax(dim=2).flatten(), reduction="none"
    )
    torch.testing.assert_close(answer.nats(logits, targets).flatten(), expected)
    assert answer.answers_per_step == 1
    chosen = answer.decide(logits)
    assert torch.equal(chosen.sum(dim=2), torch.ones(STEPS, SIZE, dtype=torch.float64))
    assert torch.equal(chosen.argmax(dim=2), logits.argmax(dim=2))
    assert torch.equal(answer.decide(logits[1]), chosen[1]), "a step alone"
    wrong = answer.errors(logits, targets)
    assert torch.equal(wrong == 0, logits.argmax(dim=2) == targets.argmax(dim=2))
    torch.testing.assert_close(
        answer.shown(logits).sum(dim=2), torch.ones_like(expected.view(6, 4))
    )


def test_reals_by_hand() -> None:
    """Off by exactly the tolerance is right, and costs half a nat, as at one standard deviation."""
    answer = Reals(2, 0.5)
    targets = torch.tensor([[[1.0, -1.0], [0.0, 0.0]]])
    logits = torch.tensor([[[1.5, -1.0], [0.51, -2.0]]])
    assert answer.errors(logits, targets).tolist() == [[0, 2]]
    assert answer.nats(logits, targets)[0, 0].item() == pytest.approx(0.5)
    assert torch.equal(answer.decide(logits), logits)


@pytest.mark.parametrize(
    ("answer", "rows", "expected"),
    [
        # Bits 1, 1, 0 and 0, 0, 0: a third of a bit in three is wrong in the first channel.
        (Bits(2), [[1, 0], [1, 0], [0, 0]], Chance(1.0, 3 * (math.log2(3) - 2 / 3))),
        (Symbols(2), [[1, 0], [1, 0], [0, 1]], Chance(1.0, 3 * (math.log2(3) - 2 / 3))),
        # Numbers 0, 3 and 3: the mean is 2, off by 2, 1 and 1.
        (Reals(1, 1.5), [[0.0], [3.0], [3.0]], Chance(1.0, 6 / (2 * 1.5**2) / math.log(2))),
    ],
    ids=str,
)
def test_best_constant_by_hand(answer: Answer, rows: list[list[float]], expected: Chance) -> None:
    targets = np.array(rows, np.float32)[:, np.newaxis]
    mask = np.ones((3, 1), np.float32)
    found = answer.best_constant(targets, mask)
    assert (found.errors, found.loss_bits) == pytest.approx((expected.errors, expected.loss_bits))


def test_best_constant_counts_what_is_scored_alone() -> None:
    targets = np.array([[[1.0]], [[0.0]], [[0.0]]], np.float32)
    mask = np.array([[1.0], [0.0], [0.0]], np.float32)
    assert Bits(1).best_constant(targets, mask) == Chance(0.0, 0.0)


def test_uniform_symbols() -> None:
    chance = Chance.of_uniform_symbols(8, 16)
    assert (chance.errors, chance.loss_bits) == (7.5, 32)


@pytest.mark.parametrize(
    ("kind", "arguments", "line"),
    [
        (Bits, (0,), "bits of the answer=0 is out of range"),
        (Symbols, (1,), "symbols of the answer=1 is out of range"),
        (Reals, (1, 0.0), "tolerance of the answer=0.0 is out of range"),
    ],
)
def test_sizes_out_of_range(kind: type[Answer], arguments: tuple[float, ...], line: str) -> None:
    with pytest.raises(SettingError, match=line):
        kind(*arguments)
