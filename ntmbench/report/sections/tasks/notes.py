"""What must be known to read a task's numbers."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ntmbench.plotting.wording import errors
from ntmbench.report.page import numbers
from ntmbench.report.page.words import listed
from ntmbench.report.study.grouping import untold
from ntmbench.report.study.study import Study
from ntmbench.report.study.tasks import StudyTask


def notes_of(study: Study, task: StudyTask, runs: pd.DataFrame) -> Iterator[str]:
    """Its lengths and its optimum, and what the names of its models do not tell."""
    yield from _notes(task)
    yield from _untold(study, runs)


def _untold(study: Study, runs: pd.DataFrame) -> list[str]:
    """Settings in which models differ beyond what their names tell."""
    notes = []
    for model, by_setting in untold(runs, study.settings).items():
        told = []
        for setting, values in by_setting.items():
            of_value: dict[str, list[str]] = {}
            for label, value in values.items():
                of_value.setdefault(value, []).append(_variant(label))
            one_each = (f"{value} in {listed(labels)}" for value, labels in of_value.items())
            told.append(f"{setting} ({'; '.join(one_each)})")
        notes.append(f"Beyond what their names tell, the runs of {model} differ in {listed(told)}.")
    return notes


def _variant(label: str) -> str:
    """``ntm (controller=lstm) -> controller=lstm``."""
    return label.partition(" (")[2].removesuffix(")") or label


def _notes(task: StudyTask) -> list[str]:
    """What must be known to read a task's numbers."""
    notes = [task.note] if task.note else []
    if task.lengths is not None:
        low, high = task.lengths
        trained = f"{low:,} to {high:,}" if low < high else f"{low:,}"
        beyond = [f"{length:,}" for length in task.selection_lengths if length > high]
        if beyond:
            notes.append(
                f"Trained on length {trained}. Weights are selected on validation data of that "
                f"and of length {' and '.join(beyond)}."
            )
    if task.validation is not None and not task.solvable:
        optimum = task.validation.optimum
        notes.append(
            "The best possible answer makes mistakes on this task, so solved and effective length "
            "are not defined. On the validation data the optimum is "
            f"{numbers.score(optimum.loss_bits)} loss bits and "
            f"{numbers.score(optimum.errors)} {errors(task.unit)} per sequence."
        )
    return notes
