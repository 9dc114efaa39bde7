"""A card for each task: what it asks, an example, its lengths, and chance."""

from __future__ import annotations

from collections.abc import Iterator

from ntmbench.answer import Chance
from ntmbench.data.text import in_words
from ntmbench.evaluation.description import answers_of, example_text, readable_length, sentence
from ntmbench.evaluation.levels import Level, length_levels
from ntmbench.plotting.wording import errors
from ntmbench.report.page import numbers
from ntmbench.report.page.blocks import Block, Cell, Table, Tabular, Text
from ntmbench.report.page.words import joined
from ntmbench.report.section import Section, register_section
from ntmbench.report.study.study import Study
from ntmbench.runs.loading import rebuild_task
from ntmbench.task import Task

#: Test sequences over which the optimum is a mean.
SEQUENCES = 512

NOTE = (
    "The example is a short test sequence, with a line for each of its sentences if it has any. "
    "Answers stand in brackets, after what is shown at their step. In tables of numbers, inputs "
    "stand before the bar, and dots are not asked for. Chance is what the best constant answer "
    "gets wrong in a test sequence of the longest training length, by the task's formula. The "
    "optimum is what the task's oracle, which answers as well as the input allows, gets wrong in "
    f"one of the same length, in the mean over {SEQUENCES}. Where the input does not fix the "
    "answer, their loss in bits is told too."
)

#: An example has about so many steps at most: in words, or on as many lines in numbers.
WORDS = 24
LINES = 8

HEADER = ["task", "what it asks", "answers", "train", "test", "chance", "optimum", "example"]


def blocks(study: Study) -> Iterator[Block]:
    """What a card tells, and a row for each task that can be built."""
    rows = []
    for task in study.tasks.values():
        if task.validation is None:
            continue
        first = study.runs.loc[study.runs["section"] == task.label, "run"].iloc[0]
        rows.append(card(rebuild_task(study.settings[first]["task"]), task.label))
    if rows:
        yield Text(NOTE, "faint")
        yield Tabular(Table(HEADER, rows))


def card(task: Task, label: str) -> list[Cell]:
    """A row of the table."""
    shortest, longest = task.length_range
    trained = numbers.count(longest)
    if shortest < longest:
        trained = f"{numbers.count(shortest)} to {trained}"
    # A constant that is fitted to these sequences would do better on them than chance.
    optimum = length_levels(task, longest, SEQUENCES).optimum
    most = WORDS if in_words(task, task.test_set(longest, 1)) else LINES
    example = example_text(task, task.test_set(readable_length(task, most), 1))
    return [
        Cell(label, note=task.family),
        Cell(sentence(task)),
        Cell(answers_of(task.answer)),
        Cell(trained, note=task.axis),
        Cell(" ".join(map(numbers.count, task.test_lengths))),
        _level_cell(task, task.chance(longest)),
        _level_cell(task, optimum),
        Cell("", code=example),
    ]


def _level_cell(task: Task, level: Chance | Level) -> Cell:
    """Errors, and the loss where it does not say the same."""
    loss = "" if task.deterministic else f"{numbers.score(level.loss_bits)} loss bits"
    return Cell(numbers.score(level.errors), note=joined(errors(task.answer.unit), loss))


register_section(Section(order=38, anchor="cards", title="What the tasks ask", blocks=blocks))
