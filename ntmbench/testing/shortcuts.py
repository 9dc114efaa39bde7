"""Whether an answer leaks: what solutions save that do not do what the task asks.

Each shortcut is a read-out from some features of a sequence, fitted by least squares to one half of
the sequences and judged by the other: the share of the best constant answer's errors that it saves.
A task declares in ``Task.shortcuts`` what it lets through by its nature.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from ntmbench.task import Batch, Task

Array = NDArray[np.float64]

#: Sequences that a read-out is fitted to, and as many by which it is judged.
SEQUENCES = 448
#: At most so many answers of a sequence are looked at, evenly spaced.
ANSWERS = 32
#: Longer sequences are not looked at, so that a linear read-out has not more numbers than this.
LINEAR_FEATURES = 4000
#: Units of the network without memory; its first layer is random and its second one fitted.
HIDDEN = 48
#: Steps at which fewer sequences are scored are left out.
FEWEST_SCORED = 32

#: A shortcut may save by chance this share, and so many standard errors, beyond what is declared.
MARGIN = 0.02
DEVIATIONS = 4.0


def check_shortcuts(task: Task) -> None:
    """Measure every shortcut on test sequences, and compare it with what the task declares.

    Raises:
        AssertionError: naming the shortcut that saves more.
    """
    declared = dataclasses.asdict(task.shortcuts)
    for name, (saved, error) in measure_shortcuts(task).items():
        # Every read-out knows the step that it answers, and the linear one sees all that others do.
        within = declared if name == "linear" else {"place", name}
        most = max(declared[part] for part in within)
        assert saved <= most + MARGIN + DEVIATIONS * error, (
            f"the shortcut '{name}' saves {saved:.1%} of chance's errors, and the task declares "
            f"{most:.1%} in shortcuts"
        )


def measure_shortcuts(task: Task) -> dict[str, tuple[float, float]]:
    """The share of chance's errors that each shortcut saves, and its standard error, by name."""
    batch = _short_enough(task)
    steps = _answered_steps(batch)
    constant = np.concatenate(
        [wrong for _, wrong in _errors_of(task, batch, steps, lambda step: None)]
    )
    chance = float(constant.sum())
    if not chance:
        return {}
    found = {}
    for name, features in _features(batch).items():
        saved = np.zeros(batch.size // 2)
        place = 0
        for judged, wrong in _errors_of(task, batch, steps, features):
            saved[judged] += constant[place : place + len(wrong)] - wrong
            place += len(wrong)
        deviation = float(saved.std() * np.sqrt(len(saved)))
        found[name] = float(saved.sum()) / chance, deviation / chance
    return found


def _short_enough(task: Task) -> Batch:
    length = task.length_range[1]
    batch = task.test_set(length, 2 * SEQUENCES)
    while batch.inputs[:, 0].size > LINEAR_FEATURES and length > task.shortest_length:
        length = max(task.shortest_length, length // 2)
        batch = task.test_set(length, 2 * SEQUENCES)
    return batch


def _answered_steps(batch: Batch) -> NDArray[np.int64]:
    """Some of the steps at which enough sequences of either half are scored."""
    scored = batch.mask.reshape(len(batch.mask), 2, -1).sum(axis=2).min(axis=1)
    enough = np.flatnonzero(scored >= min(FEWEST_SCORED, scored.max()))
    chosen = np.linspace(0, len(enough) - 1, min(ANSWERS, len(enough))).astype(int)
    steps: NDArray[np.int64] = enough[chosen]
    return steps


#: The features ``[B, F]`` of an answer at a step; None for those of a constant answer, the same at
#: all steps.
Features = Callable[[int], Array | None]


def _features(batch: Batch) -> dict[str, Features]:
    """What each shortcut sees of a sequence to answer at a step, by the shortcut's name."""
    inputs = batch.inputs.astype(np.float64)
    constant = np.ones((batch.size, 1))

    def linear(step: int) -> Array:
        seen = inputs[: step + 1].swapaxes(0, 1).reshape(batch.size, -1)
        return np.concatenate([seen, constant], axis=1)

    seen: dict[str, Features] = {
        "place": lambda step: constant,
        "current": lambda step: _network(inputs[step]),
        "first": lambda step: _network(inputs[0]),
        "last": lambda step: _network(inputs[batch.answer_start - 1]),
        "linear": linear,
    }
    if batch.answer_start == 0:
        del seen["last"]
    return seen


def _network(channels: Array) -> Array:
    """What a network without memory sees ``[B, in]``, and its hidden layer: ``[B, F]``."""
    weights = np.random.Generator(np.random.Philox(0)).normal(size=(channels.shape[1] + 1, HIDDEN))
    hidden = np.maximum(channels @ weights[1:] + weights[0], 0)
    return np.concatenate([channels, hidden, np.ones((len(channels), 1))], axis=1)


def _errors_of(
    task: Task, batch: Batch, steps: NDArray[np.int64], features: Features
) -> Iterator[tuple[NDArray[np.int64], Array]]:
    """Fit to the first half of the sequences; errors of the others that are scored, by step."""
    half = batch.size // 2
    everywhere = batch.targets[:, :half][batch.mask[:, :half] == 1].mean(axis=0)
    for step in steps:
        scored = batch.mask[step] == 1
        fitted, judged = np.flatnonzero(scored[:half]), np.flatnonzero(scored[half:])
        targets = batch.targets[step].astype(np.float64)
        seen = features(step)
        answers = (
            np.tile(everywhere, (len(judged), 1))
            if seen is None
            else seen[half:][judged] @ _least_squares(seen[fitted], targets[fitted])
        )
        logits = task.answer.logits_of(torch.from_numpy(answers)[np.newaxis])
        asked = torch.from_numpy(targets[half:][judged])[np.newaxis]
        yield judged, task.answer.errors(logits, asked)[0].double().numpy()


def _least_squares(features: Array, targets: Array) -> Array:
    """Weights ``[F, out]`` of a slightly damped fit, by the smaller of the two systems."""
    count, width = features.shape
    damping = 1e-3 * float((features**2).mean()) * count + 1e-12
    if width <= count:
        system = features.T @ features + damping * np.eye(width)
        weights: Array = np.linalg.solve(system, features.T @ targets)
        return weights
    dual = features @ features.T + damping * np.eye(count)
    return features.T @ np.linalg.solve(dual, targets)
