"""Whether a task's sources are the input steps that each answer is made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntmbench.task import Batch, FloatArray, Task

#: Sequences whose steps are edited, and the most steps that they may have: the edits of all steps
#: are answered by the oracle at once.
EDITED_SEQUENCES = 12
EDITED_STEPS = 40

#: Edits are a sample: a source that is hardly ever seen to matter may be missed so often.
SAMPLED = 0.01

#: Answers that differ by no more are taken for the same; an oracle may round.
SAME_ANSWER = 1e-5


def check_shape_of_sources(task: Task, batch: Batch) -> None:
    """Sources are those of the scored steps, and none lies behind its answer.

    Raises:
        AssertionError: saying what does not hold.
    """
    sources = task.sources(batch.inputs)
    if sources is not None:
        check_steps_of_answers("sources", sources, batch)


def check_steps_of_answers(name: str, of: NDArray[np.bool_], batch: Batch) -> None:
    """Check what says for each answer which steps it has to do with, ``[T, B, T]``.

    Raises:
        AssertionError: saying what does not hold.
    """
    steps, size = batch.mask.shape
    assert of.shape == (steps, size, steps), f"{name} {of.shape}"
    assert of.dtype == bool, f"{name} are {of.dtype}"
    made = of.any(axis=2)
    assert np.array_equal(made, batch.mask == 1), f"{name} are not those of the scored steps"
    late = np.triu(np.ones((steps, steps), bool), 1)[:, np.newaxis]
    assert not (of & late).any(), f"{name}: an answer is made of a later step"


def check_meaning_of_sources(task: Task) -> None:
    """Edit single steps of a few sequences: an answer changes with its sources and nothing else.

    Raises:
        AssertionError: saying what does not hold.
    """
    batch = _short_enough(task)
    sources = task.sources(batch.inputs)
    if sources is None:
        return
    edits = task.edits(batch.inputs)
    assert edits.shape[1:] == batch.inputs.shape, f"edits {edits.shape}"
    edited = (edits != batch.inputs).any(axis=3)  # [E, T, B]
    assert edited.any(), "no edit changes anything"
    changed = _changed_answers(task, batch, edits)  # [E, T, B]
    mattered = np.zeros_like(sources)
    for steps, answers in zip(edited, changed, strict=True):
        touched = sources & steps.T  # [T, B, T]
        without = answers & ~touched.any(axis=2)
        if without.any():
            answer, sequence = np.argwhere(without)[0]
            raise AssertionError(
                f"the answer at step {answer} changes with step {steps[:, sequence].argmax()}, "
                "which is not a source of it"
            )
        # Steps in a row count together, since a source may be changed as a whole.
        mattered |= touched & (answers & _in_a_row(touched))[:, :, np.newaxis]
    idle = sources & ~mattered
    share = 1 - float(idle.sum() / sources.sum())
    if share < task.sources_that_matter - SAMPLED:
        answer, _, step = np.argwhere(idle)[0]
        raise AssertionError(
            f"the answer at step {answer} does not change with step {step}, a source of it; such "
            f"changes are found for {share:.1%} of the sources, and the task says that "
            f"{task.sources_that_matter:.1%} matter"
        )


def _short_enough(task: Task) -> Batch:
    """Test sequences of the longest training length, halved until there are few enough steps."""
    length = task.length_range[1]
    batch = task.test_set(length, EDITED_SEQUENCES)
    while len(batch.inputs) > EDITED_STEPS and length > task.shortest_length:
        length = max(task.shortest_length, length // 2)
        batch = task.test_set(length, EDITED_SEQUENCES)
    return batch


def _changed_answers(task: Task, batch: Batch, edits: FloatArray) -> NDArray[np.bool_]:
    """The scored answers ``[E, T, B]`` that the oracle gives otherwise after each edit."""
    count, steps, size, width = edits.shape
    together = np.ascontiguousarray(edits.swapaxes(0, 1)).reshape(steps, count * size, width)
    solved = task.oracle(together).reshape(steps, count, size, -1).swapaxes(0, 1)
    differs = np.abs(solved - task.oracle(batch.inputs)).max(axis=3) > SAME_ANSWER
    changed: NDArray[np.bool_] = differs & (batch.mask == 1)
    return changed


def _in_a_row(touched: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether the touched steps ``[..., T]`` follow one another without a gap."""
    begins = touched & ~np.roll(touched, 1, axis=-1)
    begins[..., 0] = touched[..., 0]
    single: NDArray[np.bool_] = begins.sum(axis=-1) == 1
    return single
