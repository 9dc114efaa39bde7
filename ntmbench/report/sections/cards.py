"""A card for each task: what it asks, an example, its lengths, and chance."""

from __future__ import annotations

from collections.abc import Iterator

from ntmbench.answer import Symbols
from ntmbench.evaluation.description import answers_of, example_text, readable_length, sentence
from ntmbench.report.page import numbers
from ntmbench.report.page.blocks import Block, Cell, Table, Tabular, Text
from ntmbench.report.section import Section, register_section
from ntmbench.report.study.study import Study
from ntmbench.runs.loading import rebuild_task
from ntmbench.task import Task

NOTE = (
    "The example is a short test sequence. An answer in brackets stands after what is shown at its "
    "step. In tables of numbers, inputs stand before the bar, and dots are not asked for. Chance "
    "is what the best constant answer gets wrong at the longest training length."
)

#: An example has about so many steps at most: on a line in words, or on as many lines in numbers.
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
        optimum = numbers.score(task.validation.optimum.errors)
        rows.append(card(rebuild_task(study.settings[first]["task"]), task.label, optimum))
    if rows:
        yield Text(NOTE, "faint")
        yield Tabular(Table(HEADER, rows))


def card(task: Task, label: str, optimum: str) -> list[Cell]:
    """A row of the table; ``optimum`` is what a perfect answer gets wrong on validation data."""
    shortest, longest = task.length_range
    trained = numbers.count(longest)
    if shortest < longest:
        trained = f"{numbers.count(shortest)} to {trained}"
    most = WORDS if isinstance(task.answer, Symbols) else LINES
    example = example_text(task, task.test_set(readable_length(task, most), 1))
    return [
        Cell(label, note=task.family),
        Cell(sentence(task)),
        Cell(answers_of(task.answer)),
        Cell(trained, note=task.axis),
        Cell(" ".join(map(numbers.count, task.test_lengths))),
        Cell(numbers.score(task.chance(longest).errors), note=f"wrong {task.answer.unit}s"),
        Cell(optimum, note=f"wrong {task.answer.unit}s"),
        Cell("", code=example),
    ]


register_section(Section(order=38, anchor="cards", title="What the tasks ask", blocks=blocks))
