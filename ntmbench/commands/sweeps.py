"""Sweeps: the end of each cell, and the table of all cells.

Cells run wherever Hydra's launcher puts them, so each leaves a small file in the sweep's folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from hydra.experimental.callback import Callback
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from ntmbench.commands.cells import (
    CELL,
    TABLE,
    UNREADABLE,
    Note,
    read_note,
    write_expected,
    write_note,
)
from ntmbench.data.files import write_text
from ntmbench.data.spreadsheet import csv_of
from ntmbench.runs.runner import Outcome
from ntmbench.runs.settings import RunConfig

COLUMNS = [
    "cell", "task", "model", "seed", "state", "length", "errors", "unit", "exact_match",
    "reason", "folder", "overrides",
]  # fmt: skip


@dataclass(frozen=True)
class _Noted:
    """The folders of the sweeps in a context, which Hydra tells only to callbacks."""

    expected: Sequence[Sequence[str]]
    folders: list[Path]


_noted: ContextVar[_Noted | None] = ContextVar("noted", default=None)


@contextmanager
def noted_folders(expected: Sequence[Sequence[str]] = ()) -> Iterator[list[Path]]:
    """A list that receives the folder of each sweep that starts within the context.

    ``expected`` holds the overrides of every cell; they are noted in that folder.
    """
    folders: list[Path] = []
    token = _noted.set(_Noted(expected, folders))
    try:
        yield folders
    finally:
        _noted.reset(token)


class NoteFolder(Callback):
    """Hydra callback: note the sweep's folder for the table at the end.

    No callback makes the table, because Hydra 1.3 does not call one after a failure.
    """

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Take the folder from Hydra's own settings."""
        noted = _noted.get()
        if noted is not None:
            folder = Path(config.hydra.sweep.dir)
            noted.folders.append(folder)
            write_expected(folder, noted.expected)


def write_cell(
    folder: Path,
    number: int,
    overrides: list[str],
    config: RunConfig | None,
    state: str,
    outcome: Outcome | None = None,
    reason: str | None = None,
) -> Note:
    """Note the state of a cell, at its start and at its end, and return what is noted."""
    cell: Note = {
        "cell": number,
        "overrides": " ".join(overrides),
        "state": state,
        "reason": reason,
    }
    if config is not None:
        cell.update(task=config.task.name, model=config.model, seed=config.seed)
        if state == "held":
            cell.update(folder=str(config.folder))
    if outcome is not None:
        cell.update(folder=str(outcome.folder))
        if config is not None and outcome.evaluation is not None:
            rows = {row["length"]: row for row in outcome.evaluation.to_dict("records")}
            # The end of the training range, or the first test length if that is not tested.
            tested = rows.get(config.task.length_range[1], next(iter(rows.values())))
            cell.update({name: tested[name] for name in ("length", "errors", "exact_match")})
            cell.update(unit=outcome.unit)
    write_note(folder, cell)
    return cell


def read_cells(sweep: Path, expected: Sequence[Sequence[str]] = ()) -> pd.DataFrame:
    """The cells of a sweep that has ended, in their order, with the columns of ``sweep.csv``.

    ``expected`` holds the overrides of every cell, also of those that were not started.
    """
    cells = [not_started(number, overrides) for number, overrides in enumerate(expected)]
    known = {cell["cell"]: cell for cell in cells}
    folders = [path.parent for path in sweep.glob(f"*/{CELL}") if path.parent.name.isdecimal()]
    noted = [read_note(folder) for folder in folders]
    started = [_completed(cell, known) for cell in noted if cell is not None]
    for cell in started:
        if cell["state"] == "running":  # its process was killed
            cell["state"] = "interrupted"
    numbers = {cell["cell"] for cell in started}
    cells = started + [cell for cell in cells if cell["cell"] not in numbers]
    # Whole numbers stay whole beside the gaps of cells that did not get so far.
    table = pd.DataFrame(cells, columns=COLUMNS).astype({"seed": "Int64", "length": "Int64"})
    return table.sort_values("cell", ignore_index=True)


def has_started(sweep: Path) -> bool:
    """Whether a cell of a sweep has started."""
    return any(sweep.glob(f"*/{CELL}"))


def _completed(cell: Note, known: Mapping[int, Note]) -> Note:
    """A note; one that is damaged with what is known without it."""
    if cell["state"] != UNREADABLE:
        return cell
    return {**cell, **known.get(cell["cell"], {}), "state": UNREADABLE, "reason": cell["reason"]}


def not_started(number: int, overrides: Sequence[str]) -> Note:
    """What is known of a cell that has not started."""
    values: dict[str, Any] = dict(override.partition("=")[::2] for override in overrides)
    # A number, as in the files of the cells that were started; a reference is not followed here.
    seed = values.pop("seed", "").strip("'\"")
    if seed.isdecimal():
        values["seed"] = int(seed)
    cell = {
        "cell": number,
        "overrides": " ".join(overrides),
        "state": "not started",
        "reason": None,
    }
    return {**cell, **{key: values[key] for key in ("task", "model", "seed") if key in values}}


def conclude(sweep: Path, console: Console, expected: Sequence[Sequence[str]] = ()) -> int:
    """Print and write the table over all cells; return the exit code, 1 where one failed.

    A sweep without any cell counts as failed too.
    """
    cells = read_cells(sweep, expected)
    write_text(sweep / TABLE, csv_of(cells))
    table = Table(title="Sweep", title_justify="left")
    units = list(cells["unit"].dropna().unique())
    wrong = f"wrong {units[0]}s" if len(units) == 1 else "errors"
    for heading in ("task", "model", "seed", "state", "length", wrong, "exact"):
        table.add_column(heading)
    differing = _differing(cells["overrides"])
    if any(differing):
        table.add_column("overrides", overflow="fold")
    for cell, overrides in zip(cells.to_dict("records"), differing, strict=True):
        tested = pd.notna(cell["errors"])
        table.add_row(
            *(_cell_text(cell[name]) for name in ("task", "model", "seed", "state")),
            _cell_text(cell["length"]),
            _errors_text(cell, with_unit=len(units) > 1) if tested else "-",
            f"{cell['exact_match']:.1%}" if tested else "-",
            *([overrides] if any(differing) else []),
        )
    console.print(table)
    failed = cells[~cells["state"].isin(["finished"])]
    if len(failed):
        console.print(f"{len(failed)} of {len(cells)} cells did not finish:", highlight=False)
        for cell in failed.to_dict("records"):
            console.print(
                f"  {cell['overrides']}: {cell['reason'] or cell['state']}",
                highlight=False,
                soft_wrap=True,
                markup=False,
            )
    console.print(str(sweep / TABLE), highlight=False, soft_wrap=True)
    return 1 if len(failed) or not len(cells) else 0


def _differing(overrides: Iterable[str]) -> list[str]:
    """Each cell's overrides that not all cells share and that have no column."""
    cells = [cell.split(" ") for cell in overrides]
    shared = set.intersection(*map(set, cells)) if cells else set()
    columns = ("task=", "model=", "seed=")
    return [
        " ".join(o for o in cell if o not in shared and not o.startswith(columns)) for cell in cells
    ]


def _errors_text(cell: Mapping[Any, Any], *, with_unit: bool) -> str:
    return f"{cell['errors']:.3f}" + (f" {cell['unit']}s" if with_unit else "")


def _cell_text(value: Any) -> str:
    return "-" if pd.isna(value) else str(value)
