"""Whether the controls came out as they must: the suite's own test of a campaign.

The oracle must be right, the constant must end where training takes a constant, and the memoryless
network must not know more than chance where a task needs memory. One that fails, diverges, or
finishes without what it is judged by, means that data, loss or training are not what the report
takes them for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pandas as pd

from ntmbench.plotting.wording import errors
from ntmbench.report.page import numbers
from ntmbench.report.page.words import plural
from ntmbench.report.study.contestants import JUDGED
from ntmbench.report.study.once import once
from ntmbench.report.study.study import Study
from ntmbench.report.study.tasks import StudyTask

#: Relative to the loss that is compared with. Of 640 validation sequences of fair bits, a constant
#: that is fitted to others costs far less than this; so does a float32 sum of 200 logarithms.
TOLERANCE = 0.01
#: Bits that the rounding of a few probabilities to float32 costs at most.
ROUNDING = 1e-6


@dataclass(frozen=True)
class ControlCheck:
    """What became of one control on one task.

    Attributes:
        task: its label.
        control: oracle, constant, memoryless, or what else is registered as one.
        verdict: ``as it must``, ``not as it must``, ``not run``, ``not finished`` or ``no demand``.
        text: what was demanded and what came out, or how many runs were checked.
    """

    task: str
    control: str
    verdict: str
    text: str

    @property
    def failed(self) -> bool:
        """Whether it came out otherwise than it must."""
        return self.verdict == "not as it must"


@once
def check_controls(study: Study) -> list[ControlCheck]:
    """A check for every task and control: those that there are demands on, and others that ran."""
    run = study.runs.loc[study.runs["control"], "model"]
    controls = dict.fromkeys([*JUDGED, *run])
    return [_check(task, control, study) for task in study.tasks.values() for control in controls]


def _check(task: StudyTask, control: str, study: Study) -> ControlCheck:
    runs = study.runs[(study.runs["section"] == task.label) & (study.runs["model"] == control)]
    if runs.empty:
        return ControlCheck(task.label, control, "not run", "")
    finished = runs.loc[runs["outcome"] == "finished", "run"]
    diverged = runs.loc[runs["outcome"] == "diverged", "run"]
    if finished.empty and diverged.empty:
        return ControlCheck(task.label, control, "not finished", "")
    faults = [f"{run}: it diverged." for run in diverged]
    if control not in DEMANDS:
        undemanded = "The report makes no demand on it."
    elif task.validation is None:
        undemanded = "The task is not installed here."
    elif control == "memoryless" and not task.needs_memory:
        undemanded = "The task rewards what can be seen without memory."
    else:
        undemanded = ""
        faults += DEMANDS[control](task, study, finished)
    if not faults and undemanded:
        return ControlCheck(task.label, control, "no demand", undemanded)
    if not faults:
        checked = plural(len(runs), "run")
        if len(finished) < len(runs):
            checked = f"{len(finished)} of {checked}"
        return ControlCheck(task.label, control, "as it must", checked)
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return ControlCheck(task.label, control, "not as it must", faults[0] + more)


def _oracle(task: StudyTask, study: Study, runs: pd.Series[str]) -> Iterator[str]:
    for run in runs:
        tested = study.evaluation[study.evaluation["run"] == run]
        if tested.empty:
            yield f"{run}: it has no test scores."
        for row in tested.to_dict("records"):
            at = f"{run} at length {numbers.count(row['length'])}"
            if task.solvable:
                if row["errors"] != 0:
                    wrong = numbers.score(row["errors"]) or "not a number of"
                    yield f"{at}: {wrong} {errors(task.unit)}; it must have none."
                continue
            optimum = task.optimum_loss_bits(int(row["length"]))
            if not math.isclose(row["loss_bits"], optimum, rel_tol=TOLERANCE, abs_tol=ROUNDING):
                yield (
                    f"{at}: {numbers.score(row['loss_bits'])} loss bits; "
                    f"it must be at the optimum, {numbers.score(optimum)}."
                )


def _constant(task: StudyTask, study: Study, runs: pd.Series[str]) -> Iterator[str]:
    assert task.trained_constant is not None
    best = task.trained_constant.loss_bits
    return _validated(
        study,
        runs,
        lambda loss: math.isclose(loss, best, rel_tol=TOLERANCE),
        f"it must end within {TOLERANCE:.0%} of the constant of least training loss, "
        f"{numbers.score(best)}",
    )


def _memoryless(task: StudyTask, study: Study, runs: pd.Series[str]) -> Iterator[str]:
    assert task.validation is not None
    best = task.validation.chance.loss_bits
    return _validated(
        study,
        runs,
        lambda loss: loss >= best * (1 - TOLERANCE),
        f"without memory it cannot be more than {TOLERANCE:.0%} under chance, "
        f"{numbers.score(best)}",
    )


def _validated(
    study: Study, runs: pd.Series[str], allowed: Callable[[float], bool], demand: str
) -> Iterator[str]:
    """The faults of runs whose last validation's loss is not ``allowed``, or that have none."""
    curves = study.metrics[study.metrics["run"].isin(runs)].sort_values("sequences")
    ends = dict(curves.groupby("run")["loss_bits"].last())
    for run in runs:
        if run not in ends:
            yield f"{run}: it has no learning curve."
        elif not allowed(ends[run]):
            yield f"{run}: {numbers.score(ends[run])} loss bits on validation data; {demand}."


Demand = Callable[[StudyTask, Study, "pd.Series[str]"], Iterator[str]]

#: What each control must do: yields the faults of its finished runs.
DEMANDS: dict[str, Demand] = {
    "oracle": _oracle,
    "constant": _constant,
    "memoryless": _memoryless,
}
