"""What the tasks share: the layout "question, then answer", and checks and grids of lengths.

A question is shown step by step, and then answered while the input is silent (all zeros).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntmbench.settings import check_range
from ntmbench.task import Batch, FloatArray

# Larger sizes are taken for typing errors. They would exhaust the memory of most machines.
MAX_BITS = 1024
MAX_LENGTH = 100_000


def check_sizes(
    bits: int, min_length: int, max_length: int, *, shortest: int = 1, max_bits: int = MAX_BITS
) -> None:
    """Check a task's vector width and its range of lengths, of which ``shortest`` is the least.

    Raises:
        SettingError: naming the setting and what is allowed.
    """
    check_range("task.bits", bits, 1, max_bits)
    check_length_range(min_length, max_length, shortest=shortest)


def check_length_range(min_length: int, max_length: int, *, shortest: int = 1) -> None:
    """Check a task's range of lengths, of which ``shortest`` is the least.

    Raises:
        SettingError: naming the setting and what is allowed.
    """
    check_range("task.max_length", max_length, shortest, MAX_LENGTH)
    check_range("task.min_length", min_length, shortest, max_length)


def scaled_grid(
    lengths: tuple[int, ...], *, trained_to: int, min_length: int, max_length: int
) -> tuple[int, ...]:
    """Scale a test grid that is meant for training up to ``trained_to`` to ``max_length``.

    Lengths are rounded down, none is below ``min_length``, and ``max_length`` is always among them.
    """
    scaled = {max(min_length, length * max_length // trained_to) for length in lengths}
    return tuple(sorted(scaled | {max_length}))


def beyond(length: int, numerator: int, denominator: int) -> int:
    """``length`` times a fraction above one, rounded down, and at least one more than it is."""
    return max(length + 1, length * numerator // denominator)


def question_and_answer(question: FloatArray, answer: NDArray[np.generic]) -> Batch:
    """Lay out a batch: the question, then silence while the answer is asked and scored.

    Args:
        question: ``[Q, B, input_width]``.
        answer: ``[A, B, output_width]``, each 0 or 1.

    Returns:
        A batch of Q + A steps whose answer starts at step Q.
    """
    asked, batch_size, input_width = question.shape
    steps = asked + len(answer)
    inputs = np.zeros((steps, batch_size, input_width), np.float32)
    inputs[:asked] = question
    mask = np.zeros((steps, batch_size), np.float32)
    mask[asked:] = 1
    return Batch(inputs, answer_at_end(answer, steps), mask, asked)


def answer_at_end(answer: NDArray[np.generic], steps: int) -> FloatArray:
    """Put an answer ``[A, B, output_width]`` at the end of ``steps`` steps, after zeros."""
    _, batch_size, output_width = answer.shape
    padded = np.zeros((steps, batch_size, output_width), np.float32)
    padded[steps - len(answer) :] = answer
    return padded


def first_raised(channel: FloatArray) -> int:
    """The first step at which a delimiter channel ``[T, B]`` is 1; the same in every sequence."""
    return int(channel[:, 0].argmax())


def as_text(batch: Batch, sequence: int = 0) -> str:
    """Write one sequence as a table: a line per step, its inputs and what is asked of it.

    Targets that are not scored are dots.
    """
    lines = []
    for inputs, targets, scored in zip(
        batch.inputs[:, sequence], batch.targets[:, sequence], batch.mask[:, sequence], strict=True
    ):
        asked = " ".join(f"{target:.0f}" if scored else "." for target in targets)
        shown = (f"{value:.0f}" if value in (0, 1) else f"{value:+.2f}" for value in inputs)
        lines.append(f"{' '.join(shown)} | {asked}")
    return "\n".join(lines)
