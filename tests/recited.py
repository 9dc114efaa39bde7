"""A small task of real answers, for the tests alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ntmbench.answer import Chance, Reals
from ntmbench.data.lengths import Lengths
from ntmbench.data.randomness import RandomWords
from ntmbench.task import Batch, FloatArray, Shortcuts, Task


@dataclass(frozen=True)
class Recited(Task):
    """Numbers that are shown one by one, and then asked for in the same order."""

    min_length: int = 1
    max_length: int = 6

    name = "recited"
    version = 1
    lengths = Lengths(6, test=(3, 6, 12), select=((1, 1),))

    @property
    def input_width(self) -> int:
        return 1

    @property
    def answer(self) -> Reals:
        return Reals(1, tolerance=0.25)

    @property
    def shortcuts(self) -> Shortcuts:
        """The sum of all tells a little of each."""
        return Shortcuts(first=1 / 6, last=1 / 6, bag=0.35, linear=1.0)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        shown = words.uniform(length, batch_size)[:, :, np.newaxis].astype(np.float32)
        nothing = np.zeros_like(shown)
        mask = np.concatenate([nothing, np.ones_like(shown)])[:, :, 0]
        inputs, targets = np.concatenate([shown, nothing]), np.concatenate([nothing, shown])
        return Batch(inputs, targets, mask, answer_start=length)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        return np.roll(inputs, len(inputs) // 2, axis=0)

    def chance(self, length: int) -> Chance:
        """The mean is off by more than a quarter half of the time."""
        return Chance(length / 2, length / 12 / (2 * 0.25**2) / np.log(2))

    def demand(self, length: int) -> int:
        return length
