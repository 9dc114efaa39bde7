"""Answer: how the output channels of a task are read, scored and fed back.

Training, evaluation, controls, pictures and report ask the answer, so that none of them assumes
bits. A new kind of answer is one more class.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from ntmbench.errors import check_range, check_whole

if TYPE_CHECKING:  # a command that trains nothing loads no PyTorch
    from torch import Tensor

FloatArray = NDArray[np.floating]

#: How a picture reads the channels of an answer: as bits, as one of several symbols, or as numbers.
Kind = Literal["bits", "symbols", "reals"]

#: The natural logarithm of 2.
NATS_PER_BIT = 0.6931471805599453


@dataclass(frozen=True)
class Chance:
    """What the best constant answer scores, per sequence: the same logits at every scored step.

    Attributes:
        errors: wrong answers: bits, symbols or numbers.
        loss_bits: cross-entropy in bits.
    """

    errors: float
    loss_bits: float

    @classmethod
    def of_fair_bits(cls, count: int) -> Chance:
        """The chance of ``count`` fair bits: half of them wrong, and one bit of loss for each."""
        return cls(count / 2, float(count))

    @classmethod
    def of_uniform_symbols(cls, count: int, symbols: int) -> Chance:
        """The chance of ``count`` answers, each one of ``symbols`` equally likely symbols."""
        return cls(count * (1 - 1 / symbols), count * math.log2(symbols))


@dataclass(frozen=True)
class Drawn:
    """What a picture must know of an answer.

    Attributes:
        kind: how its channels are read.
        tolerance: numbers are wrong where they are off by more.
    """

    kind: Kind
    tolerance: float = 0.0


class Answer(ABC):
    """One kind of answer; a frozen dataclass.

    Shapes: logits and targets ``[T, B, out]``; every result is per step, so that a mask
    ``[T, B]`` can choose what counts.
    """

    #: The unit of errors, in the singular, for tables and axes.
    unit: ClassVar[str]

    @property
    @abstractmethod
    def channels(self) -> int:
        """Output channels, out."""

    @property
    @abstractmethod
    def answers_per_step(self) -> int:
        """The number of answers that a scored step asks for, each of them right or wrong."""

    @abstractmethod
    def nats(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss of each step in nats, ``[T, B]``."""

    @abstractmethod
    def slope(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The derivative ``[T, B, out]`` of ``nats`` by the logits, as a new tensor."""

    @abstractmethod
    def errors(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Wrong answers at each step, ``[T, B]``. A logit that is not a number is wrong."""

    @abstractmethod
    def decide(self, logits: Tensor) -> Tensor:
        """The answer given, of the logits' shape: what is fed back, and what is drawn.

        ``logits`` may also be those of one step, ``[B, out]``.
        """

    @abstractmethod
    def shown(self, logits: Tensor) -> Tensor:
        """What a picture shows of the answer, ``[T, B, out]``: probabilities, or the numbers."""

    @abstractmethod
    def drawn(self) -> Drawn:
        """How a picture draws what is ``shown``, and marks what is wrong in it."""

    @abstractmethod
    def check_targets(self, asked: FloatArray) -> None:
        """Check targets ``[scored, out]``, those of the scored steps alone.

        Raises:
            ValueError: saying what is wrong with them.
        """

    @abstractmethod
    def check_solved(self, solved: FloatArray) -> None:
        """Check an oracle's answer ``[scored, out]`` at the scored steps.

        Raises:
            ValueError: saying what is wrong with it.
        """

    @abstractmethod
    def logits_of(self, solved: Tensor) -> Tensor:
        """Logits that stand for an oracle's answer ``[T, B, out]``, finite."""

    @abstractmethod
    def best_constant(self, targets: FloatArray, mask: FloatArray) -> Chance:
        """What the best constant answer scores per sequence on given data.

        Shapes: targets ``[T, B, out]``, mask ``[T, B]``.
        """


class _Channels(Answer):
    """An answer of ``count`` channels, each of them right or wrong by itself but for symbols."""

    count: int

    @property
    def channels(self) -> int:
        """As many as are counted."""
        return self.count

    @property
    def answers_per_step(self) -> int:
        """One in each channel."""
        return self.count


#: An oracle's probabilities stay this far from 0 and 1, which have no finite logit. A certain bit
#: then costs 1.4e-9 bits of loss.
MARGIN = 1e-9


@dataclass(frozen=True)
class Bits(_Channels):
    """``count`` independent bits: a logit each, 1 where it is positive (sigmoid, cross-entropy)."""

    count: int
    unit: ClassVar[str] = "bit"

    def __post_init__(self) -> None:
        """Check the count."""
        check_whole("bits of the answer", self.count, 1)

    def nats(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The cross-entropy, summed over the bits."""
        from ntmbench.engine.elementwise import softplus

        # Not PyTorch's own cross-entropy: it starts all its threads even for little work, and they
        # keep the processor busy for a while afterwards.
        each = softplus(logits).lerp(softplus(-logits), targets)
        return sum_in_order(each, dim=2)

    def slope(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The probability less the target."""
        from ntmbench.engine.elementwise import sigmoid

        return sigmoid(logits).sub_(targets)

    def errors(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Bits that differ after thresholding at probability 1/2, known as wrong bits."""
        differs = ((logits > 0) != (targets > 0.5)) | logits.isnan()
        return differs.sum(dim=2)

    def decide(self, logits: Tensor) -> Tensor:
        """1 where the logit is positive, else 0."""
        return (logits > 0).to(logits.dtype)

    def shown(self, logits: Tensor) -> Tensor:
        """The probability of each bit."""
        from ntmbench.engine.elementwise import sigmoid

        return sigmoid(logits)

    def drawn(self) -> Drawn:
        """Bits."""
        return Drawn("bits")

    def check_targets(self, asked: FloatArray) -> None:
        """Each is 0 or 1."""
        _check_zeros_and_ones(asked)

    def check_solved(self, solved: FloatArray) -> None:
        """Each is a probability."""
        _check_probabilities(solved)

    def logits_of(self, solved: Tensor) -> Tensor:
        """The logits of probabilities, no nearer to 0 and 1 than MARGIN."""
        # In float64, since float32 has no number so near to 1.
        return solved.double().logit(eps=MARGIN)

    def best_constant(self, targets: FloatArray, mask: FloatArray) -> Chance:
        """Each channel answers with its frequency of ones."""
        scored = mask.sum()
        ones = (targets * mask[:, :, np.newaxis]).sum(axis=(0, 1)) / scored  # [out]
        per_step = np.minimum(ones, 1 - ones).sum()
        share = scored / mask.shape[1]
        return Chance(float(share * per_step), float(share * _entropy(np.stack([ones, 1 - ones]))))


@dataclass(frozen=True)
class Symbols(_Channels):
    """One of ``count`` symbols: a logit each, of which the largest is the answer (softmax)."""

    count: int
    unit: ClassVar[str] = "symbol"

    def __post_init__(self) -> None:
        """Check the count."""
        check_whole("symbols of the answer", self.count, 2)

    @property
    def answers_per_step(self) -> int:
        """One symbol."""
        return 1

    def nats(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The cross-entropy of the softmax."""
        from ntmbench.engine.elementwise import log_sum_exp

        return log_sum_exp(logits) - sum_in_order(logits * targets, dim=2)

    def slope(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The probabilities less the one-hot target."""
        from ntmbench.engine.elementwise import softmax

        return softmax(logits).sub_(targets)

    def errors(self, logits: Tensor, targets: Tensor) -> Tensor:
        """1 where the largest logit is not the target's."""
        differs = logits.argmax(dim=2) != targets.argmax(dim=2)
        return (differs | logits.isnan().any(dim=2)).long()

    def decide(self, logits: Tensor) -> Tensor:
        """The largest logit's symbol, one-hot."""
        return logits.new_zeros(logits.shape).scatter_(-1, logits.argmax(-1, keepdim=True), 1)

    def shown(self, logits: Tensor) -> Tensor:
        """The probability of each symbol."""
        from ntmbench.engine.elementwise import softmax

        return softmax(logits)

    def drawn(self) -> Drawn:
        """Symbols."""
        return Drawn("symbols")

    def check_targets(self, asked: FloatArray) -> None:
        """Each step has one symbol, one-hot."""
        _check_zeros_and_ones(asked)
        if (asked.sum(axis=1) != 1).any():
            raise ValueError("a target is not one symbol")

    def check_solved(self, solved: FloatArray) -> None:
        """Each step has probabilities that add up to 1."""
        _check_probabilities(solved)
        if not np.allclose(solved.sum(axis=1), 1, atol=1e-4):
            raise ValueError("the probabilities of the symbols do not add up to 1")

    def logits_of(self, solved: Tensor) -> Tensor:
        """The logarithms of probabilities, none below MARGIN."""
        return solved.double().clamp_min(MARGIN).log()

    def best_constant(self, targets: FloatArray, mask: FloatArray) -> Chance:
        """Every step answers with the frequencies of the symbols."""
        scored = mask.sum()
        shares = (targets * mask[:, :, np.newaxis]).sum(axis=(0, 1)) / scored  # [out]
        share = scored / mask.shape[1]
        return Chance(float(share * (1 - shares.max())), float(share * _entropy(shares)))


@dataclass(frozen=True)
class Reals(_Channels):
    """``count`` numbers, each wrong where it is off by more than ``tolerance``.

    The loss is the squared error, in bits of a Gaussian whose standard deviation is the tolerance.
    The Gaussian's normalising constant is left out, so that an exact answer costs nothing.
    """

    count: int
    tolerance: float
    unit: ClassVar[str] = "number"

    def __post_init__(self) -> None:
        """Check count and tolerance."""
        check_whole("numbers of the answer", self.count, 1)
        check_range("tolerance of the answer", self.tolerance, above=0.0)

    def nats(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Half the squared error in units of the tolerance."""
        return sum_in_order(((logits - targets) / self.tolerance).square(), dim=2) / 2

    def slope(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The error over the square of the tolerance."""
        return (logits - targets).div_(self.tolerance * self.tolerance)

    def errors(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Numbers that are off by more than the tolerance."""
        within = (logits - targets).abs() <= self.tolerance  # False where not a number
        return (~within).sum(dim=2)

    def decide(self, logits: Tensor) -> Tensor:
        """The numbers themselves."""
        return logits

    def shown(self, logits: Tensor) -> Tensor:
        """The numbers themselves."""
        return logits

    def drawn(self) -> Drawn:
        """Numbers."""
        return Drawn("reals", self.tolerance)

    def check_targets(self, asked: FloatArray) -> None:
        """Each is finite."""
        if not np.isfinite(asked).all():
            raise ValueError("a target is not finite")

    def check_solved(self, solved: FloatArray) -> None:
        """Each is finite."""
        if not np.isfinite(solved).all():
            raise ValueError("an answer is not finite")

    def logits_of(self, solved: Tensor) -> Tensor:
        """The numbers themselves."""
        return solved.double()

    def best_constant(self, targets: FloatArray, mask: FloatArray) -> Chance:
        """Every channel answers with its mean, which has the least loss."""
        chosen = targets[mask > 0].astype(np.float64)  # [scored, out]
        off = chosen - chosen.mean(axis=0)
        sequences = mask.shape[1]
        loss = (off**2).sum() / (2 * self.tolerance**2 * NATS_PER_BIT)
        wrong = (np.abs(off) > self.tolerance).sum()
        return Chance(float(wrong / sequences), float(loss / sequences))


def sum_in_order(tensor: Tensor, dim: int) -> Tensor:
    """The sum over an axis, first number first.

    The order of PyTorch's own sum, and hence its last digits, depend on the processor.
    """
    first, *others = tensor.unbind(dim)
    total = first.clone()
    for other in others:
        total = total + other
    return total


def _check_zeros_and_ones(asked: FloatArray) -> None:
    if not np.isin(asked, (0, 1)).all():
        raise ValueError("targets hold other numbers than 0 and 1")


def _check_probabilities(solved: FloatArray) -> None:
    if not ((solved >= 0) & (solved <= 1)).all():  # nor where it is not a number
        raise ValueError("an answer is not a probability")


def _entropy(probabilities: FloatArray) -> float:
    """The sum of -p log2 p, with 0 log 0 = 0."""
    p = probabilities[probabilities > 0].astype(np.float64)
    return float(-(p * np.log2(p)).sum())
