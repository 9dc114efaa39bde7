"""The tasks that the runs were trained on, built again for their chance and optimum."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ntmbench.answer import Symbols
from ntmbench.data.literature import PaperResult, paper_results
from ntmbench.errors import UserError
from ntmbench.evaluation.levels import (
    DataLevels,
    Level,
    length_levels,
    scored_answers,
    trained_constant,
    validation_levels,
)
from ntmbench.registry import task_class, task_names
from ntmbench.runs.identity import validation_size
from ntmbench.runs.loading import rebuild_task
from ntmbench.task import Task


@dataclass(frozen=True)
class StudyTask:
    """A task with its settings: what the column ``section`` of the tables names.

    Attributes:
        label: names it among the others.
        name: the task's registered name.
        unit: what one of its answers is: bit, symbol or number.
        standard: whether its settings are the defaults, which are the paper's sizes.
        lengths: the shortest and the longest training length; None where it is not known.
        selection_lengths: validation lengths at which weights are selected, beside those of
            training; none where they are not known.
        near_length: the longest test length within training, or the shortest if none is within;
            None where nothing was tested.
        validation: chance and optimum on validation data; None where the task cannot be built.
        trained_constant: the constant of least training loss on validation data; None where that
            control was not run or the task cannot be built.
        test_optimum: the optimum by test length, where that is not without errors.
        variation_answers: how many answers of a sequence count in each tested variation, where
            they are symbols.
        paper: what the NTM paper has on it.
        needs_memory: whether a model without memory cannot beat chance.
        has_input_phase: whether there is an input to encode before the answer begins; taken to be
            so where it is not known.
        note: why it cannot be built, or nothing.
    """

    label: str
    name: str
    unit: str
    standard: bool
    lengths: tuple[int, int] | None
    selection_lengths: tuple[int, ...]
    near_length: int | None
    validation: DataLevels | None
    trained_constant: Level | None
    test_optimum: Mapping[int, Level]
    variation_answers: Mapping[str, float]
    paper: tuple[PaperResult, ...]
    needs_memory: bool
    has_input_phase: bool
    note: str

    @property
    def solvable(self) -> bool:
        """Whether a run can be without errors; taken to be so where it is not known."""
        return self.validation is None or self.validation.solvable

    def optimum_loss_bits(self, length: int) -> float:
        """The least loss that can be had on the test data of a length; NaN where not known."""
        if self.validation is None:
            return math.nan
        return 0.0 if self.solvable else self.test_optimum[length].loss_bits

    def optimum_errors(self, length: int) -> float:
        """The errors of the optimum on the test data of a length; NaN where not known."""
        if self.validation is None:
            return math.nan
        return 0.0 if self.solvable else self.test_optimum[length].errors


def family_of(task: str) -> str:
    """The family of a task by its registered name; nothing if it is not installed here."""
    return task_class(task).family if task in task_names() else ""


def study_task(
    label: str,
    identity: Mapping[str, Any],
    runs: pd.DataFrame,
    evaluation: pd.DataFrame,
    variations: pd.DataFrame,
) -> StudyTask:
    """Build the task of runs whose settings share the task in ``identity``.

    The three tables hold the task's rows. A task that is not installed here, or in
    another version, is no error: what would need it is left out, and ``note`` says why.
    """
    lengths = _lengths(runs)
    name = str(identity["task"]["name"])
    tested = sorted({int(length) for length in evaluation["length"]})
    try:
        task = rebuild_task(identity["task"])
    except (UserError, TypeError, ValueError) as error:
        note = f"No chance or optimum: {error}"
        near = _near_length(tested, lengths)
        unit = str(runs["unit"].iloc[0])
        return StudyTask(
            label, name, unit, False, lengths, (), near, None, None, {}, {}, (), True, True, note
        )
    size = validation_size(identity)
    validation = validation_levels(task, size)
    test_optimum = {}
    if not validation.solvable:
        sizes = evaluation.groupby("length")["sequences"].max()
        for length, sequences in zip(sizes.index.astype(int), sizes.astype(int), strict=True):
            test_optimum[length] = length_levels(task, length, sequences).optimum
    return StudyTask(
        label=label,
        name=name,
        unit=task.answer.unit,
        standard=task == type(task)(),
        lengths=task.length_range,
        selection_lengths=task.selection_lengths,
        near_length=_near_length(tested, task.length_range),
        validation=validation,
        trained_constant=trained_constant(task, size) if "constant" in set(runs["model"]) else None,
        test_optimum=test_optimum,
        variation_answers=_variation_answers(task, variations),
        paper=paper_results(task),
        needs_memory=task.needs_memory,
        has_input_phase=task.has_input_phase,
        note="",
    )


def _variation_answers(task: Task, tested: pd.DataFrame) -> dict[str, float]:
    if not isinstance(task.answer, Symbols):
        return {}
    sizes = tested.groupby("variation")["sequences"].max()
    return {
        name: scored_answers(variation.task, variation.length, int(sizes[name]))
        for name, variation in task.variations.items()
        if name in sizes.index
    }


def _lengths(runs: pd.DataFrame) -> tuple[int, int] | None:
    known = runs[["min_length", "max_length"]].dropna()
    if known.empty:
        return None
    return int(known["min_length"].iloc[0]), int(known["max_length"].iloc[0])


def _near_length(tested: list[int], trained: tuple[int, int] | None) -> int | None:
    within = [length for length in tested if trained is not None and length <= trained[1]]
    return max(within) if within else min(tested, default=None)
