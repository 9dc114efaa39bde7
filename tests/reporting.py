"""The report of a folder of runs, and what a test asks of it."""

from __future__ import annotations

import shlex
from pathlib import Path

from hydra import compose

from ntmbench.commands.composition import composing, to_run_config
from ntmbench.report.build import Report, build_report
from ntmbench.runs.results import load_results


def build(results: Path) -> Report:
    return build_report(load_results(results), results)


def told(report: Report) -> list[str]:
    return [alert.text for alert in report.page.alerts]


def composed_name(line: str) -> str:
    """The name of the run that a command line starts."""
    program, overrides = shlex.split(line)[:3], shlex.split(line)[3:]
    assert program == ["python", "-m", "ntmbench"]
    with composing():
        return to_run_config(compose("config", overrides=overrides)).run_name
