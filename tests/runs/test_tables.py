"""Tables that changed after their run: named in one line, and never shown as right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ntmbench import load_results
from ntmbench.report.__main__ import write
from ntmbench.runs import digests, runner
from ntmbench.runs.digests import digest_of
from ntmbench.runs.folder import RunError, RunFolder
from tests.conftest import TINY, Ended
from tests.fabricated import fabricate

Command = Callable[..., Ended]
pytestmark = pytest.mark.usefixtures("undrawn")

TABLES = ("evaluation.csv", "look.csv", "metrics.csv", "positions.csv")


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
    ntmbench: Command,
    tmp_path: Path,
    tiny_run: RunFolder,
    damage: Callable[[bytes], bytes] | None,
) -> None:
    folder = tiny_run
    vouched = {*TABLES, "config.yaml", "example.npz"}
    assert set(folder.read_status()["digests"]) == vouched
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


def test_a_damaged_run_is_made_anew(ntmbench: Command, tiny_run: RunFolder) -> None:
    folder = tiny_run
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
    ntmbench: Command, tmp_path: Path, tiny_run: RunFolder, content: bytes, reason: str
) -> None:
    """It has no digest, so that only what is no table can be told."""
    folder = tiny_run
    status = folder.read_status()
    del status["digests"]
    folder.write_status(status)
    assert "already done" in ntmbench(*TINY).out
    folder.evaluation.write_bytes(content)
    ended = ntmbench(*TINY)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert f"evaluation.csv {reason}" in ended.err
    (told,) = load_results(tmp_path / "results").unreadable.values()
    assert f"{folder.evaluation} {reason}" in told


@pytest.mark.parametrize("name", ["status.json", "config.yaml", "example.npz"])
def test_other_files_that_changed_are_named(
    ntmbench: Command, tmp_path: Path, tiny_run: RunFolder, name: str
) -> None:
    path = tiny_run.path / name
    path.write_bytes(flip_a_digit(path.read_bytes()))
    ended = ntmbench(*TINY)
    assert (ended.code, ended.err.count("\n"), ended.out) == (2, 1, "")
    assert f"{path.relative_to(tmp_path)} " in ended.err
    results = load_results(tmp_path / "results")
    if name == "status.json":
        (reason,) = results.unreadable.values()
        assert f"{path} is damaged: its digest does not match" in reason
    if name == "example.npz":
        (example,) = results.examples.values()
        with pytest.raises(RunError, match="has changed since the run wrote it"):
            example.read()
        write(tmp_path / "results")
        report = (tmp_path / "results" / "report" / "report.md").read_text()
        assert f"{path} has changed" in report.replace("\\_", "_")


def test_the_curve_of_a_run_that_has_not_ended_is_vouched_for(
    ntmbench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was killed before it replaced a file, or after, is whole; one that changed is not.

    Its command makes the curve anew.
    """

    def killed(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(runner, "evaluate_in_detail", killed)
        assert ntmbench(*TINY).code == 130
    folder = only_run(tmp_path)
    whole = folder.metrics.read_bytes()
    folder.metrics.write_bytes(flip_a_digit(whole))
    (reason,) = load_results(tmp_path / "results").unreadable.values()
    assert f"{folder.metrics} has changed since the run wrote it" in reason
    status = folder.read_status()
    before = digest_of(folder.metrics.read_bytes())
    folder.write_status(
        status | {"digests": {"metrics.csv": [before, *status["digests"]["metrics.csv"]]}}
    )
    assert not load_results(tmp_path / "results").unreadable
    folder.write_status(status)
    assert ntmbench(*TINY).code == 0
    assert not load_results(tmp_path / "results").unreadable
    assert folder.metrics.read_bytes() == whole


def test_a_run_that_replaces_its_files_while_they_are_read(
    tiny_run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_run
    status, metrics = folder.read_status(), folder.metrics.read_bytes()
    changed = flip_a_digit(metrics)
    new = status | {"digests": {"metrics.csv": [digest_of(metrics), digest_of(changed)]}}
    checked = digests.checked_bytes

    def replaced(path: Path, known: digests.Digests, *, needed: bool) -> bytes | None:
        if path == folder.metrics and folder.read_status() == status:
            folder.write_status(new)
            path.write_bytes(changed)
        return checked(path, known, needed=needed)

    monkeypatch.setattr(digests, "checked_bytes", replaced)
    found, (content,) = digests.read_together(folder, [folder.metrics])
    assert (found, content) == (new, changed)


def test_digests_that_are_none_are_told(tmp_path: Path) -> None:
    fabricate(tmp_path, tested={20: 0}, tables=[1])
    (reason,) = load_results(tmp_path).unreadable.values()
    assert "digests of the files in status.json are damaged" in reason
