"""Layouts: a question is shown step by step, and then answered while the input is silent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntmbench.task import Batch, FloatArray


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


def ended_by_delimiter(vectors: NDArray[np.generic], width: int, delimiter: int) -> FloatArray:
    """The vectors, and then a step on which only the delimiter's channel is 1.

    Args:
        vectors: ``[L, B, bits]``, placed on the first channels.
        width: the number of all channels.
        delimiter: the delimiter's channel.

    Returns:
        ``[L + 1, B, width]``.
    """
    length, batch_size, bits = vectors.shape
    question = np.zeros((length + 1, batch_size, width), np.float32)
    question[:length, :, :bits] = vectors
    question[length, :, delimiter] = 1
    return question


def answer_at_end(answer: NDArray[np.generic], steps: int) -> FloatArray:
    """Put an answer ``[A, B, output_width]`` at the end of ``steps`` steps, after zeros."""
    _, batch_size, output_width = answer.shape
    padded = np.zeros((steps, batch_size, output_width), np.float32)
    padded[steps - len(answer) :] = answer
    return padded


def first_raised(channel: FloatArray) -> int:
    """The first step at which a delimiter channel ``[T, B]`` is 1, the same in every sequence."""
    return int(channel[:, 0].argmax())


def sources_at(
    inputs: FloatArray, sources: NDArray[np.int64], answered: NDArray[np.int64] | None = None
) -> NDArray[np.bool_]:
    """Sources ``[T, B, T]`` from the numbers of the steps that each of A answers is made of.

    Args:
        inputs: ``[T, B, in]``.
        sources: ``[A, B, K]`` for K steps of each answer, -1 where it has fewer; ``[A, B]`` for one
            step of each; ``[A]`` if it is the same one in all sequences.
        answered: the steps of the answers, ``[A]`` or ``[A, B]``; by default the last A steps.
    """
    steps, batch_size, _ = inputs.shape
    count = len(sources)
    parts = sources.reshape((*sources.shape, 1, 1)[: max(3, sources.ndim)])  # [A, B or 1, K]
    at = np.arange(steps - count, steps) if answered is None else answered
    at = at.reshape(count, -1, 1)  # [A, B or 1, 1]
    made = np.zeros((steps, batch_size, steps + 1), bool)  # -1 is the last step, which is left out
    made[at, np.arange(batch_size)[:, np.newaxis], parts] = True
    return made[:, :, :steps]
