"""A run's trained model, for more tests without training again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ntmbench.errors import UserError
from ntmbench.model import SequenceModel
from ntmbench.registry import make_model, make_task, model_entry
from ntmbench.runs.folder import RunError, RunFolder
from ntmbench.runs.settings import run_name
from ntmbench.task import Task
from ntmbench.training.checkpoint import load_checkpoint


def load_run(folder: str | Path) -> tuple[Task, SequenceModel]:
    """The task of a run, and its model with the weights that were selected, on the CPU.

    ``task, model = load_run("results/runs/copy-ntm-s0-1a2b3c4d")`` and then
    ``evaluate(model, task, lengths=[200])``, or on another task of the same widths:
    ``evaluate(model, dataclasses.replace(task, test_repeats=20))``. If the run is not finished, the
    weights are the best so far. The folder may have been moved or renamed.

    Raises:
        UserError: if the folder holds no run, no checkpoint or a damaged one, or if the run's task
            or model is not installed here as it was.
    """
    run = RunFolder(Path(folder))
    status = run.read_status()
    if not status:
        raise RunError(f"There is no run at {run.path}: it has no status.json.")
    if not run.checkpoint.exists():
        raise RunError(f"{run.path} has no checkpoint.pt, which would hold the weights.")
    try:
        settings = status["settings"]
        task = rebuild_task(settings["task"])
        model = _rebuild_model(settings["model"], task)
        identity = run_name(settings)
    except UserError as error:
        raise RunError(f"{run.path} cannot be loaded: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"The settings in {run.status} cannot be used: {error!r}") from error
    selected = load_checkpoint(run.checkpoint, identity)["progress"]["selected"]
    if selected is None:
        raise RunError(f"{run.checkpoint} was written before any weights were selected.")
    try:
        model.load_state_dict(selected["weights"])
    except RuntimeError as error:  # PyTorch lists every weight
        raise RunError(f"{run.checkpoint} does not fit the model as it is here.") from error
    return task, model


def rebuild_task(settings: Mapping[str, Any]) -> Task:
    """The task of a run, from the part ``task`` of its identity.

    Raises:
        UserError: if it is not installed here, or in another version.
        TypeError, ValueError: for a value that the task cannot take.
    """
    values = {key: value for key, value in settings.items() if key not in ("name", "version")}
    task = make_task(settings["name"], **values)
    if task.version != settings.get("version"):
        raise RunError(
            f"the runs have version {settings.get('version')} of task {task.name}, "
            f"and version {task.version} is installed."
        )
    return task


def _rebuild_model(recorded: Mapping[str, Any], task: Task) -> SequenceModel:
    """The model, not trained, from the part ``model`` of a run's identity."""
    name = recorded["name"]
    entry = model_entry(name)
    known = {field.name for field in dataclasses.fields(entry.settings)}
    settings = {key: value for key, value in recorded.items() if key in known}
    model = make_model(name, task.input_width, task.output_width, **settings)
    model.prepare(task)
    extras = entry.extras(entry.settings(**settings)) if entry.extras else {}
    # An earlier version differs in how it was trained; the weights mean the same.
    own = {*known, "name", "version"}
    then = {key: value for key, value in recorded.items() if key not in own}
    if then != extras:
        raise RunError(f"model={name} is not what it was: {extras} here, {then} in the run.")
    return model
