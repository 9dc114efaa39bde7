"""Tables that changed after their run: named in one line, and never shown as right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ntmbench import load_results
from ntmbench.report.__main__ import write
from ntmbench.runs.folder import RunFolder
from tests.conftest import TINY, Ended
from tests.fabricated import fabricate

Command = Callable[..., Ended]
pytestmark = pytest.mark.usefixtures("undrawn")

TABLES = ("evaluation.csv", "metrics.csv", "positions.csv")


def only_run(tmp_path: Path) -> RunFolder:
    (path,) = (tmp_path / "results" / "runs").iterdir()
    return RunFolder(path)


def lose_a_row(content: bytes) -> bytes:
    return b"".join(content.splitlines(keepends=True)[:-1])


def flip_a_digit(content: bytes) -> bytes:
    place = max(content.rfind(digit) for digit in (b"1", b"2", b"3", b"5", b"7"))
    return content[:place] + b"9" + content[place + 1 :]


def garbage(content: bytes) -> bytes:
    return b"\xff\xfe\x00\x80" + content


@pytest.mark.parametrize("damage", [lose_a_row, flip_a_digit, garbage, None])
def test_a_table_that_changed_is_named_and_not_shown(
    ntmbench: Command, tmp_path: Path, damage: Callable[[bytes], bytes] | None
) -> None:
    assert ntmbench(*TINY).code == 0
    folder = only_run(tmp_path)
    assert sorted(folder.read_status()["tables"]) == sorted(TABLES)
    for name in TABLES:
        path = folder.path / name
        content = path.read_bytes()
        if damage is None:
            path.unlink()
        else:
            path.write_bytes(damage(content))
        (reason,) = load_results(tmp_path / "results").unreadable.values()
        assert str(path) in reason
        assert "\n" not in reason
        assert "1 unreadable" in write(tmp_path / "results")
        if damage is not None or name != "evaluation.csv":  # a run without its grid goes on
            ended = ntmbench(*TINY)
            assert (ended.code, ended.err.count("\n"), ended.out) == (2, 1, "")
            assert f"{path.relative_to(tmp_path)} " in ended.err
            assert "rerun=true" in ended.err
        path.write_bytes(content)
    assert "already done" in ntmbench(*TINY).out
    assert not load_results(tmp_path / "results").unreadable


def test_a_damaged_run_is_made_anew(ntmbench: Command, tmp_path: Path) -> None:
    ntmbench(*TINY, "device=cpu")
    folder = only_run(tmp_path)
    before = folder.evaluation.read_bytes()
    folder.evaluation.write_bytes(lose_a_row(before))
    assert ntmbench(*TINY, "device=cpu").code == 2
    assert ntmbench(*TINY, "device=cpu", "rerun=true").code == 0
    assert folder.evaluation.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfe\x00\x80", "is not a table: "),
        (b"", "is not a table: "),
        (b"length,errors\n3,0\n", "has no column memory_slots, sequences"),
        (
            b"length,memory_slots,sequences,loss_bits,errors,chance_errors,exact_match\n",
            "has no rows",
        ),
        (
            b"length,memory_slots,sequences,loss_bits,errors,chance_errors,exact_match\n"
            b"3,,16,1.0,0.q,4.0,0.5\n",
            "holds what is no number in column errors",
        ),
    ],
)
def test_a_damaged_table_of_an_earlier_version(
    ntmbench: Command, tmp_path: Path, content: bytes, reason: str
) -> None:
    """It has no digest, so that only what is no table can be told."""
    ntmbench(*TINY)
    folder = only_run(tmp_path)
    status = folder.read_status()
    del status["tables"]
    folder.write_status(status)
    assert "already done" in ntmbench(*TINY).out
    folder.evaluation.write_bytes(content)
    ended = ntmbench(*TINY)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert f"evaluation.csv {reason}" in ended.err
    (told,) = load_results(tmp_path / "results").unreadable.values()
    assert f"{folder.evaluation} {reason}" in told


def test_digests_that_are_none_are_told(tmp_path: Path) -> None:
    fabricate(tmp_path, tested={20: 0}, tables=[1])
    (reason,) = load_results(tmp_path).unreadable.values()
    assert "digests of the tables in status.json are damaged" in reason
