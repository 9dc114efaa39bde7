"""Linear read-outs of a sequence, fitted by least squares to one half of a batch for each step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ntmbench.answer import Answer
from ntmbench.task import Batch, FloatArray

Numbers = NDArray[np.float64]
Steps = NDArray[np.int64]

#: Units of the network without memory; its first layer is random and its second one fitted.
HIDDEN = 48

#: The damping of a fit, as a share of the features' mean square.
DAMPING = 1e-3


@dataclass(frozen=True)
class Seen:
    """What a read-out sees when it answers at some steps.

    Attributes:
        steps: ``[S]``.
        features: of each sequence, ``[B, F]``.
        widths: how many of the features are seen at each of the steps, from the first on, ``[S]``.
    """

    steps: Steps
    features: FloatArray
    widths: Steps


def varying(batch: Batch) -> NDArray[np.bool_]:
    """The inputs ``[T, in]`` that are not the same in all sequences."""
    found: NDArray[np.bool_] = (batch.inputs != batch.inputs[:, :1]).any(axis=1)
    return found


def read_outs(batch: Batch, steps: Steps) -> Mapping[str, Iterable[Seen]]:
    """What each read-out sees, by the name that it has in ``Shortcuts``."""
    inputs, before = batch.inputs, batch.answer_start - 1
    one = np.ones((batch.size, 1), np.float32)
    sums = np.cumsum(inputs, axis=0)
    varies = varying(batch)
    all_inputs = np.concatenate([one, inputs.swapaxes(0, 1)[:, varies]], axis=1)
    so_far = 1 + varies.sum(axis=1).cumsum()
    last = [inputs[before]] if before >= 0 else []
    seen: dict[str, Iterable[Seen]] = {
        "place": [_whole(steps, one)],
        "current": (_whole([step], _network(inputs[step])) for step in steps),
        "first": [_whole(steps, _network(inputs[0]))],
        "last": [_whole(steps, _network(channels)) for channels in last],
        "bag": (
            _whole([step], np.concatenate([one, sums[step], inputs[step], *last], axis=1))
            for step in steps
        ),
        "linear": [Seen(steps, all_inputs, so_far[steps])],
    }
    if not last:
        del seen["last"]
    return seen


def errors_of_constant(answer: Answer, batch: Batch, steps: Steps) -> Numbers:
    """Errors ``[S, B / 2]`` of the best constant answer to the second half of the sequences.

    It is the same at all steps. Errors are 0 where nothing is scored.
    """
    half = batch.size // 2
    mean = batch.targets[:, :half][batch.mask[:, :half] == 1].mean(axis=0, dtype=np.float64)
    return _errors(answer, batch, steps, np.tile(mean.astype(np.float32), (len(steps), half, 1)))


def errors_of_read_out(answer: Answer, batch: Batch, sights: Iterable[Seen]) -> Numbers:
    """Errors ``[S, B / 2]`` in the second half of the sequences after a fit to the first one.

    They are 0 where nothing is scored.
    """
    return np.concatenate(
        [_errors(answer, batch, seen.steps, _answers(batch, seen)) for seen in sights]
    )


def _whole(steps: Steps | list[np.int64], features: FloatArray) -> Seen:
    """All features are seen at each of the steps."""
    return Seen(np.array(steps), features, np.full(len(steps), features.shape[1]))


def _network(channels: FloatArray) -> FloatArray:
    """What a network without memory sees ``[B, in]``, and its hidden layer: ``[B, F]``."""
    weights = np.random.Generator(np.random.Philox(0)).normal(size=(channels.shape[1] + 1, HIDDEN))
    first = weights.astype(np.float32)
    hidden = np.maximum(channels @ first[1:] + first[0], 0)
    return np.concatenate([channels, hidden, np.ones((len(channels), 1), np.float32)], axis=1)


def _answers(batch: Batch, seen: Seen) -> FloatArray:
    """The answers ``[S, B / 2, out]`` to the second half, each fitted to what is scored there."""
    half = batch.size // 2
    answers = []
    scored = np.zeros(half, bool)
    for step, width in zip(seen.steps, seen.widths, strict=True):
        if not np.array_equal(batch.mask[step, :half], scored):
            scored = batch.mask[step, :half] == 1
            fitted = seen.features[:half][scored]
            products = (fitted.T @ fitted).astype(np.float64)
        system = products[:width, :width]
        damped = system + np.eye(width) * (DAMPING * np.trace(system) / width + 1e-9)
        weights = np.linalg.solve(damped, fitted[:, :width].T @ batch.targets[step, :half][scored])
        answers.append(seen.features[half:, :width] @ weights.astype(np.float32))
    return np.stack(answers)


def _errors(answer: Answer, batch: Batch, steps: Steps, answers: FloatArray) -> Numbers:
    """Errors ``[S, B / 2]`` of answers to the second half; 0 where nothing is scored."""
    half = batch.size // 2
    logits = answer.logits_of(torch.from_numpy(answers))
    wrong = answer.errors(logits, torch.from_numpy(batch.targets[steps, half:])).double().numpy()
    return np.where(batch.mask[steps, half:] == 1, wrong, 0)
