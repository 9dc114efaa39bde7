"""Cells whose process was lost: which run again, and which are given up."""

from __future__ import annotations

from pathlib import Path

from ntmbench.clusters.chunks import Cell
from ntmbench.clusters.retries import Retries
from ntmbench.commands.cells import read_note, write_note

CHUNK = [Cell(number, [f"seed={number}"]) for number in range(3, 7)]


def note(sweep: Path, number: int, state: str) -> None:
    write_note(sweep / str(number), {"cell": number, "overrides": f"seed={number}", "state": state})


def test_cells_that_ended_do_not_run_again(tmp_path: Path) -> None:
    for number, state in ((3, "finished"), (4, "failed"), (5, "running")):
        note(tmp_path, number, state)
    assert Retries(tmp_path, allowed=5).after_loss(CHUNK, "lost") == CHUNK[2:]


def test_the_cell_that_ran_takes_the_blame(tmp_path: Path) -> None:
    retries = Retries(tmp_path, allowed=1)
    note(tmp_path, 3, "finished")
    note(tmp_path, 4, "running")
    assert retries.after_loss(CHUNK, "no power") == CHUNK[1:]
    assert retries.after_loss(CHUNK[1:], "no memory") == CHUNK[2:]
    given_up = read_note(tmp_path / "4")
    assert given_up is not None
    assert (given_up["state"], given_up["reason"]) == (
        "failed",
        "its process died 2 times: no memory",
    )
    assert read_note(tmp_path / "5") is None


def test_a_cell_that_another_process_holds_takes_no_blame(tmp_path: Path) -> None:
    retries = Retries(tmp_path, allowed=0)
    note(tmp_path, 3, "running")
    note(tmp_path, 4, "held")
    assert retries.after_loss(CHUNK, "lost") == CHUNK[1:]


def test_a_process_that_dies_before_any_cell_begins_is_not_tried_forever(tmp_path: Path) -> None:
    retries = Retries(tmp_path, allowed=0)
    chunk = CHUNK
    for _ in CHUNK:
        chunk = retries.after_loss(chunk, "lost")
    assert chunk == []
    notes = [read_note(tmp_path / str(cell.number)) for cell in CHUNK]
    assert [note and (note["state"], note["overrides"]) for note in notes] == [
        ("failed", f"seed={cell.number}") for cell in CHUNK
    ]


def test_any_number_of_losses_may_be_allowed(tmp_path: Path) -> None:
    retries = Retries(tmp_path, allowed=-1)
    note(tmp_path, 3, "running")
    for _ in range(20):
        assert retries.after_loss(CHUNK, "lost") == CHUNK
