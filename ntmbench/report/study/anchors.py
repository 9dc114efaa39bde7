"""What the report's files and links call the tasks, and the runs of each model on each."""

from __future__ import annotations

from collections.abc import Mapping

from ntmbench.report.page.slugs import slugs
from ntmbench.report.study.grouping import groups
from ntmbench.report.study.once import once
from ntmbench.report.study.study import Study


@once
def task_anchors(study: Study) -> Mapping[str, str]:
    """A name for each task, by its label."""
    return slugs(study.tasks)


@once
def run_anchors(study: Study) -> Mapping[tuple[str, str], str]:
    """A name for the runs of each group, by section and label."""
    names = {
        f"runs {section} {label}": (section, label) for section, label, _ in groups(study.runs)
    }
    return {names[name]: slug for name, slug in slugs(names).items()}
