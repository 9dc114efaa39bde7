"""What failed or is missing, to be read before any number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from ntmbench.registry import model_entry, model_names
from ntmbench.report.page.blocks import Alert
from ntmbench.report.page.words import listed, plural
from ntmbench.report.study.controls import ControlCheck, check_controls
from ntmbench.report.study.grouping import groups
from ntmbench.report.study.outcomes import SOLVED_SEQUENCES
from ntmbench.report.study.provenance import Provenance, provenance
from ntmbench.report.study.study import Study
from ntmbench.report.study.tasks import StudyTask


def alerts(study: Study) -> list[Alert]:
    """All alerts, the bad ones first."""
    found = [*_runs(study), *_controls(check_controls(study)), *_missing(study)]
    found += _mixed(provenance(study))
    return sorted(found, key=lambda alert: not alert.bad)


def _runs(study: Study) -> Iterator[Alert]:
    states = study.runs["outcome"].value_counts()
    unfinished = [f"{n} {state}" for state, n in states.items() if state != "finished"]
    if study.unreadable:
        unfinished.append(f"{len(study.unreadable)} unreadable")
    if unfinished:
        text = f"Not finished: {', '.join(unfinished)}. They count as not solved."
        yield Alert(f"{text} {_tested_though_unfinished(study)}", bad=True)


def _tested_though_unfinished(study: Study) -> str:
    """Whether the test scores hold runs that are not finished: a diverged one may be tested."""
    unfinished = study.runs.loc[study.runs["outcome"] != "finished", "run"]
    runs = len(unfinished) + len(study.unreadable)
    tested = int(unfinished.isin(study.evaluation["run"]).sum())
    if not tested:
        return "None of them was tested, so they are in no test score."
    if tested == runs:
        return "All of them were tested, and their test scores count."
    return f"{tested} of {runs} were tested, and their test scores count."


def _controls(checks: Sequence[ControlCheck]) -> Iterator[Alert]:
    verdicts = {check.verdict for check in checks}
    if "as it must" in verdicts and verdicts <= {"as it must", "no demand"}:
        yield Alert("All controls came out as they must.")
    tasks = list(dict.fromkeys(check.task for check in checks))
    for verdict, of_one, of_several in (
        ("not as it must", "came out not as it must", "came out not as they must"),
        ("not finished", "was not finished", "were not finished"),
        ("not run", "was not run", "were not run"),
    ):
        by_control: dict[str, list[str]] = {}
        for check in checks:
            if check.verdict == verdict:
                by_control.setdefault(check.control, []).append(check.task)
        # Controls that miss the same tasks share a line.
        by_tasks: dict[tuple[str, ...], list[str]] = {}
        for control, missing in by_control.items():
            by_tasks.setdefault(tuple(missing), []).append(control)
        for missing_tasks, controls in by_tasks.items():
            everywhere = list(missing_tasks) == tasks and len(tasks) > 1
            where = "any task" if everywhere else listed(missing_tasks)
            told = of_one if len(controls) == 1 else of_several
            names = f"Control{'s' if len(controls) > 1 else ''} {listed(controls)}"
            yield Alert(f"{names} {told} on {where}.", bad=verdict == "not as it must")


def _missing(study: Study) -> Iterator[Alert]:
    runs = study.runs[~study.runs["control"]]
    kinds = runs["run"].map(_kinds(study, runs))
    absent = [
        f"{kind} on {task.label}"
        for kind in dict.fromkeys(kinds)
        for task in study.tasks.values()
        if not ((kinds == kind) & (runs["section"] == task.label)).any()
        and _possible(str(runs.loc[kinds == kind, "model"].iloc[0]), task)
    ]
    if absent:
        yield Alert(f"No runs: {listed(absent)}.")
    seeds = {
        f"{label} on {section}": group["seed"].nunique() for section, label, group in groups(runs)
    }
    most = max(seeds.values(), default=0)
    if fewer := [f"{name} ({number})" for name, number in seeds.items() if number < most]:
        yield Alert(f"Fewer than {most} seeds: {listed(fewer)}.")
    uncertain = study.runs[~study.runs["enough_validation"].astype(bool)]
    if len(uncertain):
        yield Alert(
            f"{plural(len(uncertain), 'run')} judged solved on fewer than {SOLVED_SEQUENCES} "
            f"validation sequences, on {listed(dict.fromkeys(uncertain['section']))}."
        )
    finished = study.runs[study.runs["outcome"] == "finished"]
    for what, there in (
        ("test scores", finished["run"].isin(study.evaluation["run"])),
        ("errors by position", finished["run"].isin(study.positions["run"])),
        ("example", finished["run"].isin(study.examples)),
    ):
        without = finished[~there.astype(bool)]
        if len(without):
            where = listed(dict.fromkeys(without["section"]))
            yield Alert(f"{plural(len(without), 'finished run')} without {what}: {where}.")


def _kinds(study: Study, runs: pd.DataFrame) -> dict[str, str]:
    """The model of each run, with its controller where the model occurs with several."""
    controllers = {run: study.settings[run]["model"].get("controller") for run in runs["run"]}
    models = dict(zip(runs["run"], runs["model"], strict=True))
    several = {
        model
        for model in set(models.values())
        if len({controllers[run] for run in models if models[run] == model}) > 1
    }
    return {
        run: f"{model} with {controllers[run]} controller" if model in several else model
        for run, model in models.items()
    }


def _possible(model: str, task: StudyTask) -> bool:
    """Whether such a model can answer the task; taken to be so where it is not known."""
    if task.has_input_phase or model not in model_names():
        return True
    return not model_entry(model).needs_input_phase


def _mixed(made: Provenance) -> Iterator[Alert]:
    if made.changed:
        runs = f"{plural(made.changed, 'run')} come{'s' if made.changed == 1 else ''}"
        yield Alert(f"{runs} from changed source: no commit has it.", bad=True)
    if made.commits < 2 and made.versions < 2:
        return
    what = f"{plural(made.commits, 'commit')} and {plural(made.versions, 'set')} of versions"
    within = f", also those of {listed(made.mixed)}" if made.mixed else ""
    yield Alert(f"The runs come from {what}{within}.")
