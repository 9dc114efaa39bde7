"""What an error is on each of a study's tasks, where they differ in it."""

from __future__ import annotations

from ntmbench.plotting.wording import errors
from ntmbench.report.page.words import listed
from ntmbench.report.study.study import Study


def errors_told(study: Study) -> str:
    """``Errors are wrong bits on copy, recall; wrong symbols on key_value.``"""
    by_unit: dict[str, list[str]] = {}
    for task in study.tasks.values():
        by_unit.setdefault(task.unit, []).append(task.label)
    told = (f"{errors(unit)} on {listed(labels, most=12)}" for unit, labels in by_unit.items())
    return f"Errors are {'; '.join(told)}."
