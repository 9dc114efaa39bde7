"""``python -m ntmbench.look`` on a finished run, and its refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ntmbench import load_results
from ntmbench.commands.look import main
from ntmbench.runs.folder import RunFolder
from ntmbench.runs.results import HEAD_COLUMNS, LOOK_COLUMNS
from tests.conftest import TINY, Ended

Command = Callable[..., Ended]

NTM = ["task=sorting", "model=ntm", "model.engine=eager", "model.controller_size=8"]


def test_a_run_leaves_its_look_and_the_command_looks_again(
    ntmbench: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str], undrawn: None
) -> None:
    assert ntmbench(*NTM, *TINY[2:]).code == 0
    (path,) = (tmp_path / "results" / "runs").iterdir()
    folder = RunFolder(path)
    results = load_results(tmp_path / "results")
    assert list(results.look.columns[4:]) == LOOK_COLUMNS
    assert list(results.heads.columns[4:]) == HEAD_COLUMNS
    assert set(results.look["against"]) == {"position", "gap", "duplicates"}
    assert set(results.look["length"]) == set(results.heads["length"]) == {3, 4}
    assert set(results.look.loc[results.look["against"] == "position", "answers"]) == {256}
    assert folder.look.read_bytes().isascii()
    picture = folder.plots / "look.png"

    assert main([str(path), "length=2", "sequences=8"]) == 0
    out = capsys.readouterr().out
    for told in ("Errors against gap", "Use of the heads, length 2", "write 0", str(picture)):
        assert told in out
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("lenght=3", "A look has no setting 'lenght'. Allowed: length, sequences. Did you mean"),
        ("length=long", "length=long is no whole number. Allowed: length=20 or 20,40."),
        ("length=6,6", "length=6,6 has a number twice. Allowed: each once."),
        ("sequences=1,2", "sequences=1,2 are several numbers. Allowed: sequences=256."),
        ("length=3", "There is no run at"),
    ],
)
def test_bad_input_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], setting: str, told: str
) -> None:
    assert main([str(tmp_path), setting]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"ntmbench: {told}")
    assert captured.err.count("\n") == 1
