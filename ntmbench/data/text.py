"""A sequence as text, for docstrings and for a look at a task."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.vocabulary import STOPS

if TYPE_CHECKING:
    from ntmbench.task import Batch, Task

#: How a step is written at which nothing is shown and nothing asked.
NOTHING = "_"

#: More channels that are not 0 at a step are no words but a pattern.
MOST_WORDS = 2


def as_text(batch: Batch, sequence: int = 0) -> str:
    """Write one sequence as a table with a line per step: its inputs and its targets.

    Targets that are not scored are dots.
    """
    lines = []
    for inputs, targets, scored in zip(
        batch.inputs[:, sequence], batch.targets[:, sequence], batch.mask[:, sequence], strict=True
    ):
        asked = " ".join(_number(target) if scored else "." for target in targets)
        lines.append(f"{' '.join(map(_number, inputs))} | {asked}")
    return "\n".join(lines)


def as_words(task: Task, batch: Batch, sequence: int = 0) -> str:
    """Write one sequence on a line, with a word for each channel that is not 0.

    An answer stands in brackets, after what is shown at its step: ``a 1 b 0 b [0] a [1]``. A step
    without input is left out if it has an answer, and is ``_`` otherwise.
    """
    given, asked = words_of(task, batch, sequence)
    steps = zip(given, asked, strict=True)
    return " ".join(
        " ".join(part for part in (shown, answer and f"[{answer}]") if part) or NOTHING
        for shown, answer in steps
    )


def as_sentences(task: Task, batch: Batch, sequence: int = 0) -> str:
    """Write one sequence of a task of sentences on a line for each of them, and for the answer.

    Answers stand in brackets: ``Feno took suro``, ``Feno went-to baba``, ``where-is suro``, and
    ``[baba]``. What was answered at the step before is not written again where it is shown: text
    whose next word is asked for reads ``nemi [lo surok .]``. Silence is left out.
    """
    steps = task.sentence_steps or 0
    lines: list[list[tuple[str, bool]]] = [[]]  # words, and whether each is an answer
    before = ""
    for step, (shown, answer) in enumerate(zip(*words_of(task, batch, sequence), strict=True)):
        if shown and shown != before:
            lines[-1].append((shown, False))
        if answer:
            if not shown and lines[-1] and not lines[-1][-1][1]:
                lines.append([])  # the answer begins
            lines[-1].append((answer, True))
        if (answer or shown) in STOPS or (steps and (step + 1) % steps == 0):
            lines.append([])
        before = answer
    return "\n".join(map(_bracketed, filter(None, lines)))


def in_words(task: Task, batch: Batch) -> bool:
    """Whether words tell a batch better than numbers: symbols, and few of them at each step."""
    raised = np.count_nonzero(batch.inputs, axis=2)
    return task.answer.drawn().kind == "symbols" and bool((raised <= MOST_WORDS).all())


def words_of(task: Task, batch: Batch, sequence: int = 0) -> tuple[list[str], list[str]]:
    """What is shown and what is asked at each step, in words; nothing is an empty string."""
    given_names = task.input_names or tuple(map(str, range(task.input_width)))
    asked_names = task.output_names or tuple(map(str, range(task.output_width)))
    given = [channel_words(row, given_names) for row in batch.inputs[:, sequence]]
    asked = [
        channel_words(row, asked_names) if scored else ""
        for row, scored in zip(batch.targets[:, sequence], batch.mask[:, sequence], strict=True)
    ]
    return given, asked


def channel_words(channels: NDArray[np.floating[Any]], names: Sequence[str]) -> str:
    """The names of the channels that are 1, and those of other numbers with their number."""
    return " ".join(
        name if value == 1 else f"{name}={_number(value)}"
        for name, value in zip(names, channels.tolist(), strict=True)
        if value
    )


def _bracketed(words: Sequence[tuple[str, bool]]) -> str:
    """The words of a line, with answers that follow one another in brackets."""
    parts = []
    for answered, run in groupby(words, key=lambda word: word[1]):
        together = " ".join(word for word, _ in run)
        parts.append(f"[{together}]" if answered else together)
    return " ".join(parts)


def _number(value: float) -> str:
    return f"{value:.0f}" if value in (0, 1) else f"{value:+.2f}"
