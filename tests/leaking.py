"""A task that leaks its answer in a way that can be chosen, for the tests alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ntmbench.answer import Bits, Chance
from ntmbench.data.randomness import RandomWords
from ntmbench.task import Batch, FloatArray, Task

#: Steps of the question.
SHOWN = 6


@dataclass(frozen=True)
class Leaking(Task):
    """A coin is asked for twice, after bits that come as two channels, 10 and 01.

    Answers begin with the coin and end with its opposite. Nothing tells it but the ``leak``.
    """

    leak: str = ""

    name = "leaking"
    version = 1

    @property
    def input_width(self) -> int:
        return 2

    @property
    def answer(self) -> Bits:
        return Bits(1)

    @property
    def length_range(self) -> tuple[int, int]:
        return 2, 2

    @property
    def selection_lengths(self) -> tuple[int, ...]:
        return (2,)

    @property
    def test_lengths(self) -> tuple[int, ...]:
        return (2,)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        bits = words.bits(SHOWN, batch_size).astype(np.int64)
        coin = words.bits(batch_size).astype(np.int64)
        if self.leak == "place":
            coin[:] = 0
        inputs = np.zeros((SHOWN + 2, batch_size, 2), np.float32)
        inputs[:SHOWN] = np.eye(2, dtype=np.float32)[bits]
        targets = np.zeros((SHOWN + 2, batch_size, 1), np.float32)
        targets[SHOWN:, :, 0] = coin, 1 - coin
        if self.leak in ("current", "first", "last"):
            steps = {"current": [SHOWN, SHOWN + 1], "first": [0], "last": [SHOWN - 1]}[self.leak]
            inputs[steps, :, 0] = 1 + coin
        hidden = 10 * words.normal(batch_size)
        if self.leak == "linear":  # in the difference of two steps
            inputs[1, :, 0] = hidden
            inputs[3, :, 0] = hidden + coin
        if self.leak in ("bag", "rare"):  # in the sum of all steps, always or once in twenty times
            told = words.uniform(batch_size) < (1 if self.leak == "bag" else 1 / 20)
            inputs[:SHOWN, :, 0] = 0
            inputs[1, :, 0] = hidden
            inputs[3, :, 0] = told * (coin - 0.5) - hidden
        mask = np.zeros((SHOWN + 2, batch_size), np.float32)
        mask[SHOWN:] = 1
        return Batch(inputs, targets, mask, answer_start=SHOWN)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        raise NotImplementedError

    def chance(self, length: int) -> Chance:
        return Chance.of_fair_bits(2)

    def demand(self, length: int) -> int:
        return 1
