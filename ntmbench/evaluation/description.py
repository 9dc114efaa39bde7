"""A task told to people: a sentence, its answers, and an example that can be read."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

from ntmbench.answer import Answer, Reals, Symbols
from ntmbench.data.text import as_sentences, as_text, as_words, in_words
from ntmbench.task import Batch, Task

#: An example has about so many steps if no length is given.
READABLE_STEPS = 40


def sentence(task: Task) -> str:
    """The first paragraph of a task's docstring, without its source in brackets."""
    first = " ".join((inspect.getdoc(type(task)) or "").partition("\n\n")[0].split())
    return first.partition(" (")[0].rstrip(".:") + "."


def answers_of(answer: Answer) -> str:
    """``8 bits``, ``one of 8 symbols`` or ``1 number``."""
    if isinstance(answer, Symbols):
        return f"one of {answer.channels} symbols"
    unit = answer.unit if answer.channels == 1 else f"{answer.unit}s"
    within = f" within {answer.tolerance:g}" if isinstance(answer, Reals) else ""
    return f"{answer.channels} {unit}{within}"


def example_text(task: Task, batch: Batch) -> str:
    """The first sequence as sentences, as words on a line, or as a table of numbers."""
    if task.sentence_steps is not None:
        return as_sentences(task, batch)
    if in_words(task, batch):
        return as_words(task, batch)
    shown = task.input_names or map(str, range(task.input_width))
    asked = task.output_names or [""] * task.output_width
    header, *lines = _aligned([[*shown, "|", *asked], *map(str.split, as_text(batch).splitlines())])
    return "\n".join([header if task.output_names else f"{header} targets", *lines])


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of as many cells each as lines, with the cells of a column below one another."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [" ".join(map(str.rjust, row, widths)).rstrip() for row in rows]


def readable_length(task: Task, most: int = READABLE_STEPS) -> int:
    """The longest training length, halved until an example has at most so many steps."""
    length = task.length_range[1]
    while len(task.test_set(length, 1).inputs) > most and length > task.shortest_length:
        length = max(task.shortest_length, length // 2)
    return length
