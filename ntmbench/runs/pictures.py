"""The pictures in a run's folder, drawn from its tables and its example."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from ntmbench.data.files import write_bytes
from ntmbench.evaluation.levels import SOLVED_BELOW, DataLevels, validation_levels
from ntmbench.evaluation.look.looking import Look
from ntmbench.plotting.example import read_example
from ntmbench.plotting.guides import Level, PaperCurve, compare_with, paper_moments
from ntmbench.plotting.run.curve import plot_learning_curve
from ntmbench.plotting.run.example import plot_example
from ntmbench.plotting.run.generalisation import plot_generalisation
from ntmbench.plotting.run.look import plot_look
from ntmbench.plotting.run.memory import plot_memory
from ntmbench.plotting.style import png
from ntmbench.runs.folder import RunFolder
from ntmbench.runs.identity import validation_size
from ntmbench.runs.tables import EARLIER_NAMES
from ntmbench.task import Task


def plot_run(
    folder: RunFolder, task: Task, paper: Sequence[PaperCurve] = (), look: Look | None = None
) -> list[Path]:
    """Draw a run into ``folder.plots`` from the files in its folder, and return the pictures.

    They are ``learning_curve.png``, ``generalisation.png`` and ``example.png``, each if the file
    that it shows is there, ``memory.png`` if the example has a memory's panels, and ``look.png`` if
    a ``look`` was taken. ``paper`` is what the literature reports on the task.

    Raises:
        OSError, ValueError: if the example cannot be read or a picture cannot be written.
    """
    folder.plots.mkdir(parents=True, exist_ok=True)
    written = []
    unit = task.answer.unit

    def save(name: str, figure: Figure) -> None:
        path = folder.plots / f"{name}.png"
        write_bytes(path, png(figure))
        written.append(path)

    metrics, evaluation = _read(folder.metrics), _read(folder.evaluation)
    if len(metrics):
        levels = validation_levels(task, validation_size(folder.read_status().get("settings", {})))
        compared = curve_levels(levels, paper)
        save(
            "learning_curve",
            plot_learning_curve(metrics, compared, paper_moments(paper), unit=unit),
        )
    if len(evaluation):
        save("generalisation", plot_generalisation(evaluation, task.length_range, unit=unit))
    if folder.example.exists():
        length, example, memory = read_example(folder.example)
        title = f"{task.name}, test sequence of length {length}"
        save("example", plot_example(example, title))
        if memory:
            save("memory", plot_memory(example, memory, title))
    if look is not None:
        written.append(picture_look(folder, task, look))
    return written


def picture_look(folder: RunFolder, task: Task, look: Look) -> Path:
    """Draw what a look found into ``folder.plots``, as ``look.png``; returns the picture.

    Raises:
        OSError: if it cannot be written.
    """
    folder.plots.mkdir(parents=True, exist_ok=True)
    path = folder.plots / "look.png"
    figure = plot_look(look.errors, look.heads, look.places, task.name, unit=task.answer.unit)
    write_bytes(path, png(figure))
    return path


def curve_levels(levels: DataLevels, paper: Sequence[PaperCurve] = ()) -> dict[str, list[Level]]:
    """The levels to compare a learning curve with, by column."""
    solvable = levels.solvable
    wrong = compare_with(levels.chance.errors, levels.optimum.errors, solvable=solvable)
    if solvable:
        wrong.append(Level(f"solved: under {SOLVED_BELOW}", SOLVED_BELOW, SOLVED_BELOW, ":"))
    chance, optimum = levels.chance.loss_bits, levels.optimum.loss_bits
    loss = compare_with(chance, optimum, solvable=solvable, paper=paper)
    return {"errors": wrong, "loss_bits": loss}


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path).rename(columns=EARLIER_NAMES) if path.exists() else pd.DataFrame()
