"""A chapter for each task: its pictures, comparisons, one example, numbers, and all its runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from ntmbench.plotting.wording import score
from ntmbench.report.page.blocks import Block, Chapter, Heading, Pictures, Tabular, Text
from ntmbench.report.page.words import sentence
from ntmbench.report.plots.models import looks_of
from ntmbench.report.plots.pictures import (
    gallery_pictures,
    scores_of,
    section_pictures,
    title_over_length,
)
from ntmbench.report.section import Section, register_section
from ntmbench.report.sections.tasks.comparisons import comparisons_view, undetectable
from ntmbench.report.sections.tasks.notes import notes_of
from ntmbench.report.sections.tasks.scores import lengths_view, variations_view
from ntmbench.report.sections.tasks.seeds import seeds_of
from ntmbench.report.study.anchors import task_anchors
from ntmbench.report.study.lengths import lengths_table, positions_table, variations_table
from ntmbench.report.study.listing import runs_table
from ntmbench.report.study.pairs import pairs_table, score_of
from ntmbench.report.study.study import Study
from ntmbench.report.study.tasks import StudyTask
from ntmbench.report.study.training import curves_table, survival_table

#: More comparisons than these are shut until the reader opens them.
MOST_COMPARISONS = 10


def tables(study: Study) -> Mapping[str, pd.DataFrame]:
    """What is told by task and model, or by run."""
    return {
        "lengths": lengths_table(study),
        "variations": variations_table(study),
        "curves": curves_table(study),
        "survival": survival_table(study),
        "positions": positions_table(study),
        "comparisons": pairs_table(study),
        "runs": runs_table(study),
    }


def blocks(study: Study) -> Iterator[Chapter]:
    """A chapter for each task, in the order of the runs."""
    for task, members in study.by_task():
        contestants = members[~members["control"]]
        yield Chapter(
            task_anchors(study)[task.label], task.label, list(_of_task(study, task, contestants))
        )


def _of_task(study: Study, task: StudyTask, runs: pd.DataFrame) -> Iterator[Block]:
    """``runs`` are the contestants' on this task."""
    anchor = task_anchors(study)[task.label]
    rows = _rows_of(study, task, runs)
    yield from (Text(note) for note in notes_of(study, task, runs))
    if pictures := section_pictures(task, anchor, study, rows, looks_of(study, runs)):
        yield Pictures(pictures)
    yield from _comparisons(study, task, runs)
    yield from _example(study, task, anchor, runs)
    yield from _numbers(task, rows)
    yield Heading("Runs")
    yield from seeds_of(study, task)


def _rows_of(study: Study, task: StudyTask, runs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The task's rows of the tables that are drawn or shown, without controls."""
    whole = tables(study)
    return {
        name: whole[name][
            (whole[name]["section"] == task.label) & whole[name]["label"].isin(runs["label"])
        ]
        for name in ("lengths", "variations", "curves", "survival", "positions")
    }


def _comparisons(study: Study, task: StudyTask, runs: pd.DataFrame) -> Iterator[Block]:
    if runs["label"].nunique() < 2:
        return
    pairs = pairs_table(study)
    pairs = pairs[pairs["section"] == task.label]
    compared = score(score_of(task), task.unit)
    yield Heading("Models compared")
    yield Text(undetectable(pairs, compared))
    if (pairs["p"].notna() | (pairs["not_finite"] > 0)).any():  # else the text says it all
        shut = f"The {len(pairs)} comparisons" if len(pairs) > MOST_COMPARISONS else ""
        yield Tabular(comparisons_view(pairs, compared), shut)


def _example(study: Study, task: StudyTask, anchor: str, runs: pd.DataFrame) -> Iterator[Block]:
    pictures, faults = gallery_pictures(task, anchor, runs, study.examples)
    if pictures or faults:
        yield Heading("One example")
    if faults:
        yield Text(" ".join(faults), "bad")
    if pictures:
        yield Pictures(pictures, large=True)


def _numbers(task: StudyTask, rows: Mapping[str, pd.DataFrame]) -> Iterator[Block]:
    lengths, variations = rows["lengths"], rows["variations"]
    if len(lengths) or len(variations):
        yield Heading("Numbers")
    if len(lengths):
        for column in scores_of(task):
            told = sentence(title_over_length(column, task.unit))
            title = f"{told}, median and range over seeds"
            yield Tabular(lengths_view(lengths, column), title)
    if len(variations):
        title = "Variations, median and range over seeds"
        yield Tabular(variations_view(variations, task.unit), title)


register_section(Section(order=40, anchor="tasks", title="Tasks", blocks=blocks, tables=tables))
