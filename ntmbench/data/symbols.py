"""Tasks of symbols: what their channels have in common, and the way from symbols to batches.

A symbol is a number from 0 on, and ``SILENT`` stands for a step without one. Arrays of symbols have
the shape ``[T, B]``; batches have one channel for each symbol instead.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from ntmbench.answer import Symbols
from ntmbench.data.choices import Integers
from ntmbench.errors import check_range
from ntmbench.task import Batch, FloatArray, Task

#: A step at which nothing is shown, or nothing is asked.
SILENT = -1

#: Larger numbers are taken for typing errors.
MAX_SYMBOLS = 4096


class SymbolTask(Task):
    """A task that shows at most one symbol a step, and asks for one at each scored step.

    A subclass names the symbols in ``input_names`` and ``output_names``; the rest follows.
    """

    @property
    @abstractmethod
    def input_names(self) -> tuple[str, ...]:
        """The word for each symbol that may be shown."""

    @property
    @abstractmethod
    def output_names(self) -> tuple[str, ...]:
        """The word for each symbol that may be the answer."""

    @property
    def input_width(self) -> int:
        """A channel for each symbol that may be shown."""
        return len(self.input_names)

    @property
    def answer(self) -> Symbols:
        """One of the symbols that may be the answer."""
        return Symbols(len(self.output_names))

    def batch(self, shown: Integers, asked: Integers, answer_start: int) -> Batch:
        """The batch of the symbols ``[T, B]`` shown and asked for; none is asked where SILENT."""
        return Batch(
            one_hot(shown, self.input_width),
            one_hot(asked, self.output_width),
            (asked != SILENT).astype(np.float32),
            answer_start,
        )

    def answered(self, symbols: Integers) -> FloatArray:
        """The oracle's answer from the symbols that it found, ``[T, B]``."""
        return one_hot(symbols, self.output_width)


def check_symbols(name: str, count: int, *, fewest: int = 2, most: int = MAX_SYMBOLS) -> None:
    """Check a setting that is a number of symbols.

    Raises:
        SettingError: naming the setting and what is allowed.
    """
    check_range(f"task.{name}", count, fewest, most)


def one_hot(symbols: Integers, count: int) -> FloatArray:
    """Channels ``[..., count]`` of symbols ``[...]``, all of them 0 where SILENT."""
    rows = np.concatenate([np.eye(count, dtype=np.float32), np.zeros((1, count), np.float32)])
    channels: FloatArray = rows[symbols]  # SILENT is the last row
    return channels


def symbols_of(channels: FloatArray) -> Integers:
    """The symbol ``[...]`` of one-hot channels ``[..., count]``, SILENT where all are 0."""
    return np.where(channels.any(axis=-1), channels.argmax(axis=-1), SILENT)


def silence(steps: int, batch_size: int) -> Integers:
    """Steps without a symbol, ``[steps, B]``."""
    return np.full((steps, batch_size), SILENT)


def with_end(symbols: Integers, end: int) -> Integers:
    """The symbols ``[L, B]``, and then one step of the symbol ``end``."""
    return np.concatenate([symbols, np.full((1, symbols.shape[1]), end)])


def then_answer(question: Integers, answer: Integers) -> tuple[Integers, Integers]:
    """What is shown and what is asked, ``[Q + A, B]`` each: the input is silent in the answer.

    Args:
        question: ``[Q, B]``.
        answer: ``[A, B]``.
    """
    batch_size = question.shape[1]
    shown = np.concatenate([question, silence(len(answer), batch_size)])
    asked = np.concatenate([silence(len(question), batch_size), answer])
    return shown, asked


def pad_before(symbols: Integers, lengths: Integers) -> Integers:
    """Silence, and then the first ``lengths [B]`` symbols: all sequences end at the same step."""
    begin = len(symbols) - lengths
    places = np.arange(len(symbols))[:, np.newaxis] - begin
    moved = np.take_along_axis(symbols, places.clip(0), axis=0)
    return np.where(places >= 0, moved, SILENT)
