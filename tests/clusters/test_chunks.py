"""Chunks of cells: how they are cut, run again, and accounted for. No cluster is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from hydra.core.config_store import ConfigStore
from rich.console import Console

from ntmbench.clusters import chunks, driver
from ntmbench.clusters.chunks import Cell, Worker, cut
from ntmbench.clusters.driver import Returned, numbered, run_in_chunks, settle
from ntmbench.commands import launchers
from ntmbench.commands.cells import Note, read_note, write_expected, write_note
from ntmbench.runs.folder import RunFolder
from tests.conftest import Ended

LAUNCHERS = sorted((Path(__file__).parents[2] / "ntmbench" / "launchers").glob("*.py"))
CELLS = numbered([["seed=0"], ["seed=1"], ["seed=2"]], 4)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "LATE", 0.2)
    monkeypatch.setattr(driver, "LOOK", 0.01)


def note(cell: Cell, state: str = "finished", **more: Any) -> Note:
    return {"cell": cell.number, "overrides": " ".join(cell.overrides), "state": state, **more}


def states(sweep: Path) -> list[str]:
    notes = [read_note(sweep / str(cell.number)) for cell in CELLS]
    return [found["state"] if found else "" for found in notes]


def test_last_chunk_may_be_smaller() -> None:
    assert cut(range(5), 2) == [[0, 1], [2, 3], [4]]
    assert cut(range(2), 5) == [[0, 1]]


def test_every_cell_runs_once_with_its_number(tmp_path: Path) -> None:
    ran: list[int] = []

    def start(chunks: list[list[Cell]]) -> Iterator[Returned]:
        assert [len(cells) for cells in chunks] == [2, 1]
        for cells in reversed(chunks):  # as they happen to end
            ran.extend(cell.number for cell in cells)
            yield Returned(cells, [note(cell) for cell in cells])

    returns = run_in_chunks(tmp_path, CELLS, 2, start, Console())
    assert len(returns) == 3
    assert sorted(ran) == [4, 5, 6]
    assert states(tmp_path) == ["finished"] * 3  # although no file was seen here


def test_lost_chunk_is_told_with_its_reason(tmp_path: Path) -> None:
    write_note(tmp_path / "4", note(CELLS[0]))
    write_note(tmp_path / "5", note(CELLS[1], "running"))
    settle(tmp_path, Returned(CELLS, [], "Slurm job 7_0 ended as TIMEOUT."))
    assert states(tmp_path) == ["finished", "interrupted", "not started"]
    told = read_note(tmp_path / "6")
    assert told is not None
    assert told["reason"] == "Slurm job 7_0 ended as TIMEOUT."
    assert told["seed"] == 2


def test_cell_that_was_held_before_its_chunk_was_lost_is_not_due_again(tmp_path: Path) -> None:
    write_note(tmp_path / "4", note(CELLS[0], "held"))
    settle(tmp_path, Returned(CELLS[:1], [], "Slurm job 7_0 ended as CANCELLED."))
    told = read_note(tmp_path / "4")
    assert told is not None
    assert told["state"] == "interrupted"


def test_note_that_appears_late_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter(range(9))

    def read_late(folder: Path) -> Note | None:
        return note(CELLS[0], "finished" if next(looks) > 1 else "running")

    monkeypatch.setattr(driver, "LATE", 5.0)
    monkeypatch.setattr(chunks, "read_note", read_late)
    settle(tmp_path, Returned(CELLS[:1], [], "lost"))
    assert not list(tmp_path.iterdir())  # nothing was to be mended


def test_held_cell_is_run_again_when_its_holder_has_ended(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    holder = run.locked()
    holder.__enter__()
    rounds: list[int] = []

    def start(chunks: list[list[Cell]]) -> Iterator[Returned]:
        rounds.append(sum(map(len, chunks)))
        for cells in chunks:
            held = [cell.number == 5 and run.is_locked() for cell in cells]
            notes = [
                note(cell, "held" if h else "finished", folder=str(run.path))
                for cell, h in zip(cells, held, strict=True)
            ]
            yield Returned(cells, notes)
        if len(rounds) == 1:
            holder.__exit__(None, None, None)

    run_in_chunks(tmp_path, CELLS, 2, start, Console())
    assert rounds == [3, 1]
    assert states(tmp_path) == ["finished"] * 3


def test_worker_leaves_out_what_has_ended_in_this_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that is started again does not run cells twice, not even with rerun=true."""
    monkeypatch.chdir(tmp_path)
    worker = Worker(None, None, None, tmp_path, tmp_path, {})  # type: ignore[arg-type]
    for cell, state in zip(CELLS, ("finished", "failed", "diverged"), strict=True):
        write_note(tmp_path / str(cell.number), note(cell, state))
    monkeypatch.setattr("hydra.core.singleton.Singleton.set_state", lambda state: None)
    assert [found["state"] for found in worker.run(CELLS)] == ["finished", "failed", "diverged"]


def test_note_of_an_earlier_sweep_whose_jobs_go_on_is_not_this_cells(tmp_path: Path) -> None:
    write_note(tmp_path / "4", note(Cell(4, ["seed=7"])))
    assert chunks.note_of(tmp_path, CELLS[0]) is None
    settle(tmp_path, Returned(CELLS[:1], [], "lost"))
    told = read_note(tmp_path / "4")
    assert told is not None
    assert (told["state"], told["overrides"]) == ("not started", "seed=0")


def test_notes_of_an_earlier_sweep_in_the_folder_are_removed(tmp_path: Path) -> None:
    write_note(tmp_path / "4", note(CELLS[0]))
    write_expected(tmp_path, [["seed=0"]])
    assert read_note(tmp_path / "4") is None


@pytest.mark.parametrize(
    ("launcher", "told"),
    [
        ("slrm", "hydra/launcher=slrm is not a choice. Allowed: basic,"),
        ("slurm", "hydra/launcher=slurm needs the extra 'cluster': pip install"),
    ],
)
def test_launcher_that_is_not_there_is_one_line(
    ntmbench: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch, launcher: str, told: str
) -> None:
    monkeypatch.setitem(launchers.NEEDED, "slurm", ("no_such_module", "cluster"))
    ended = ntmbench("-m", "task=copy", f"hydra/launcher={launcher}")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert told in ended.err


def test_every_launcher_is_declared() -> None:
    """Hydra would not find one that pyproject.toml does not name."""
    files = {path.stem for path in LAUNCHERS} - {"__init__"}
    named = [found.module for found in entry_points(group=launchers.HYDRAS)]
    assert {f"{launchers.PACKAGE}.{name}" for name in files} <= set(named)


@pytest.mark.parametrize("path", LAUNCHERS, ids=lambda path: path.stem)
def test_launcher_is_found_by_hydras_scan(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hydra 1.3 runs a plug-in's file first, and makes it known to Python afterwards."""
    # What is run here is a second module, whose settings must not take the place of the first's.
    monkeypatch.setattr(ConfigStore, "store", lambda *args, **settings: None)
    spec = spec_from_file_location(f"scanned_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(module_from_spec(spec))
