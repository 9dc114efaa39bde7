"""The report of a folder of runs, and what a test asks of it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hydra import compose

from ntmbench.composition.composing import composing, to_run_config
from ntmbench.report.build import Report, build_report
from ntmbench.report.page.blocks import (
    Block,
    Bullets,
    Chapter,
    Heading,
    Picture,
    Pictures,
    Runs,
    Table,
    Tabular,
    Text,
)
from ntmbench.report.section import all_sections
from ntmbench.runs.results import load_results


def build(results: Path) -> Report:
    return build_report(load_results(results), results)


def told(report: Report) -> list[str]:
    return [alert.text for alert in report.page.alerts]


def chapter(report: Report, anchor: str) -> Chapter:
    """The chapter of that name."""
    (found,) = (chapter for chapter in report.page.chapters if chapter.anchor == anchor)
    return found


def table_of(report: Report, anchor: str) -> Table:
    """The table of a chapter that has one."""
    (found,) = (block for block in chapter(report, anchor).blocks if isinstance(block, Tabular))
    return found.table


def texts_of(report: Report, anchor: str) -> list[str]:
    """All paragraphs of a chapter."""
    texts: list[str] = []
    for block in chapter(report, anchor).blocks:
        if isinstance(block, Text):
            texts.append(block.text)
        if isinstance(block, Bullets):
            texts.extend(block.items)
    return texts


@dataclass(frozen=True)
class TaskShown:
    """The chapter of a task, by its headings; what stands before the first goes by nothing."""

    label: str
    under: dict[str, list[Block]]

    def texts(self, heading: str = "") -> list[str]:
        """The paragraphs under a heading."""
        return [block.text for block in self.under.get(heading, []) if isinstance(block, Text)]

    def tables(self, heading: str) -> dict[str, Table]:
        """The tables under a heading, by their titles."""
        blocks = self.under.get(heading, [])
        return {block.title: block.table for block in blocks if isinstance(block, Tabular)}

    def pictures(self, heading: str = "") -> list[Picture]:
        """The pictures under a heading."""
        return [
            picture
            for block in self.under.get(heading, [])
            if isinstance(block, Pictures)
            for picture in block.pictures
        ]

    @property
    def seeds(self) -> list[Runs]:
        """The runs of each model."""
        return [block for block in self.under["Runs"] if isinstance(block, Runs)]


def tasks_of(report: Report) -> Iterator[TaskShown]:
    """The chapters of the tasks."""
    others = {section.anchor for section in all_sections()}
    for shown in report.page.chapters:
        if shown.anchor not in others:
            under: dict[str, list[Block]] = {"": []}
            for block in shown.blocks:
                if isinstance(block, Heading):
                    under[block.title] = []
                else:
                    under[list(under)[-1]].append(block)
            yield TaskShown(shown.title, under)


def task_of(report: Report) -> TaskShown:
    """The chapter of the only task."""
    (found,) = tasks_of(report)
    return found


def composed_name(line: str) -> str:
    """The name of the run that a command line starts."""
    program, overrides = shlex.split(line)[:3], shlex.split(line)[3:]
    assert program == ["python", "-m", "ntmbench"]
    with composing():
        return to_run_config(compose("config", overrides=overrides)).run_name
