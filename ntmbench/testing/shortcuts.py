"""Whether an answer leaks: what solutions save that do not do what the task asks.

Each shortcut is a linear read-out from some features of a sequence, fitted by least squares to some
thousands of sequences and judged by as many others: the share of the best constant answer's errors
that it saves. A task declares in ``Task.shortcuts`` what it lets through by its nature.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from ntmbench.task import Batch, Task
from ntmbench.testing.readouts import errors_of_constant, errors_of_read_out, read_outs, varying

#: Sequences that a read-out is fitted to, and as many by which it is judged.
SEQUENCES = 3072
#: At most so many answers of a sequence are looked at, drawn without repetition.
ANSWERS = 128
#: Longer sequences are not looked at, so that a linear read-out has not more numbers than this.
INPUTS = 2048
#: Steps at which fewer sequences are scored are left out.
FEWEST_SCORED = 192

#: A shortcut may save by chance this share, and so many standard errors, beyond what is declared.
MARGIN = 0.01
DEVIATIONS = 3.0

#: What a read-out sees, beside what it is named for: whatever another one has from there alone, it
#: may have too. Every read-out knows the step that it answers.
SEEN = {
    "place": ("place",),
    "current": ("place", "current"),
    "first": ("place", "first"),
    "last": ("place", "last"),
    "bag": ("place", "current", "last", "bag"),
    "linear": ("place", "current", "first", "last", "bag", "linear"),
}


def check_shortcuts(task: Task) -> None:
    """Measure every shortcut on test sequences, and compare it with what the task declares.

    Raises:
        AssertionError: naming the shortcut that saves more.
    """
    declared = dataclasses.asdict(task.shortcuts)
    for name, (saved, error) in measure_shortcuts(task).items():
        most = max(declared[part] for part in SEEN[name])
        assert saved <= most + MARGIN + DEVIATIONS * error, (
            f"the shortcut '{name}' saves {saved:.1%} of chance's errors, and the task declares "
            f"{most:.1%} in shortcuts"
        )


def measure_shortcuts(task: Task) -> dict[str, tuple[float, float]]:
    """The share of chance's errors that each shortcut saves, and its standard error, by name."""
    batch = _short_enough(task)
    steps = _answered_steps(batch)
    constant = errors_of_constant(task.answer, batch, steps)
    chance = float(constant.sum())
    if not chance:
        return {}
    found = {}
    for name, sights in read_outs(batch, steps).items():
        saved = (constant - errors_of_read_out(task.answer, batch, sights)).sum(axis=0)
        deviation = float(saved.std() * np.sqrt(len(saved)))
        found[name] = float(saved.sum()) / chance, deviation / chance
    return found


def _short_enough(task: Task) -> Batch:
    """Test sequences of the longest training length, halved until there are few enough inputs."""
    length = task.length_range[1]
    while varying(task.test_set(length, 64)).sum() > INPUTS and length > task.shortest_length:
        length = max(task.shortest_length, length // 2)
    return task.test_set(length, 2 * SEQUENCES)


def _answered_steps(batch: Batch) -> NDArray[np.int64]:
    """Some of the steps at which enough sequences of either half are scored."""
    scored = batch.mask.reshape(len(batch.mask), 2, -1).sum(axis=2).min(axis=1)
    enough = np.flatnonzero(scored >= min(FEWEST_SCORED, scored.max()))
    # Evenly spaced ones would all be alike where answers are periodic.
    order = np.random.Generator(np.random.Philox(0)).permutation(len(enough))
    steps: NDArray[np.int64] = np.sort(enough[order[:ANSWERS]])
    return steps
