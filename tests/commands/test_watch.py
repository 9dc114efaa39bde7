"""What runs, what waits and what failed, as it is shown."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ntmbench.commands.cells import EXPECTED, read_expected, write_expected
from ntmbench.commands.sweeps import write_cell
from ntmbench.commands.watch import View, main, seconds_left
from ntmbench.data.records import read_record, write_record
from ntmbench.runs.folder import RunFolder
from ntmbench.runs.watching import Watched, Watcher
from tests.conftest import TINY, Ended
from tests.fabricated import fabricate


@pytest.fixture
def once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], str]:
    """What is shown of ``tmp_path``, in a wide terminal."""
    monkeypatch.setenv("COLUMNS", "200")

    def show() -> str:
        assert main([str(tmp_path), "--once"]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return out

    return show


def line_with(shown: str, *parts: str) -> str:
    (line,) = (line for line in shown.splitlines() if all(part in line for part in parts))
    return line


def test_every_state_is_told(tmp_path: Path, once: Callable[[], str]) -> None:
    at_work = fabricate(tmp_path, seed=0, state="running", errors=[80, 12.345])
    fabricate(tmp_path, seed=1, state="running", errors=[80])
    fabricate(tmp_path, seed=2, state="failed", error="OSError: no space left")
    fabricate(tmp_path, seed=3, state="diverged", error="No finite loss.")
    fabricate(tmp_path, seed=4)
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "status.json").write_text("[]")
    with at_work.locked():
        shown = once()
    assert "1 running, 0 waiting, 1 finished, 4 failed or interrupted; about 16 s left" in shown
    assert line_with(shown, "ntm", "33% of 3,000", "12.3", "16 s")  # 8 s for the first 1,000
    assert "interrupted" in line_with(shown, "copy-ntm-s1-")
    assert "OSError: no space left" in line_with(shown, "copy-ntm-s2-", "failed")
    assert "No finite loss." in line_with(shown, "copy-ntm-s3-", "diverged")
    assert "copy-ntm-s4-" not in shown
    assert "status.json holds no named values" in line_with(shown, "broken", "unreadable")


def test_a_run_without_a_pace_and_one_that_is_tested(
    tmp_path: Path, once: Callable[[], str]
) -> None:
    folders = [
        fabricate(tmp_path, seed=0, state="running", errors=[80]),
        fabricate(tmp_path, "recall", state="running"),
    ]
    folders[0].metrics.unlink()
    with ExitStack() as stack:
        stack.enter_context(folders[1].locked())
        assert once().startswith("1 running, 0 waiting, 0 finished, 1 failed or interrupted\n")
        stack.enter_context(folders[0].locked())
        shown = once()
    assert line_with(shown, "copy", "0% of 3,000").count(" - ") == 2
    assert line_with(shown, "recall", "100% of 3,000", "testing")
    assert "left" not in shown.splitlines()[0]


def test_cells_that_wait_and_cells_that_failed(tmp_path: Path, once: Callable[[], str]) -> None:
    old, new = tmp_path / "sweeps" / "2025-01-01", tmp_path / "sweeps" / "2025-01-02"
    cells = [[f"task={task}", "model=ntm"] for task in ("copy", "recall", "ngrams", "sorting")]
    write_expected(old, [["task=old"]])
    (old / "sweep.csv").touch()
    write_expected(new, cells)
    write_cell(new / "0", 0, cells[0], None, "running")
    write_cell(new / "1", 1, cells[1], None, "failed", reason="model=ntm: no")
    shown = once()
    assert "0 running, 2 waiting, 0 finished, 1 failed or interrupted" in shown
    for cell in ("task=ngrams model=ntm", "task=sorting model=ntm"):
        assert cell in shown
    assert "model=ntm: no" in line_with(shown, "task=recall model=ntm", "failed")
    assert "task=old" not in shown


@pytest.mark.parametrize("damaged", ["cells.json", "1/cell.json"])
def test_damaged_files_of_a_sweep_are_named(
    tmp_path: Path, once: Callable[[], str], damaged: str
) -> None:
    sweep = tmp_path / "sweeps" / "a"
    write_expected(sweep, [["seed=10"], ["seed=11"]])
    for number in (0, 1):
        write_cell(sweep / str(number), number, [f"seed=1{number}"], None, "finished")
    path = sweep / damaged
    path.write_text(path.read_text().replace("seed=11", "seed=13"))
    assert f"{path} is damaged" in line_with(once(), "unreadable")


def test_a_failed_run_is_told_once(tmp_path: Path, once: Callable[[], str]) -> None:
    fabricate(tmp_path, seed=0, state="failed", error="OSError: no")
    sweep = tmp_path / "sweeps" / "a"
    write_expected(sweep, [["seed=0"], ["seed=1"]])
    for seed in (0, 1):
        cell = f'{{"state": "failed", "task": "copy", "model": "ntm", "seed": {seed}, '
        (sweep / str(seed)).mkdir()
        (sweep / str(seed) / "cell.json").write_text(
            cell + f'"overrides": "seed={seed}", "reason": "OSError: no"}}'
        )
    shown = once()
    assert "2 failed" in shown
    assert "seed=0" not in shown
    assert line_with(shown, "seed=1", "OSError: no")


def test_nothing_waits_for_a_process_that_is_gone(tmp_path: Path, once: Callable[[], str]) -> None:
    sweep = tmp_path / "sweeps" / "a"
    code = (
        "import sys; from pathlib import Path; from ntmbench.commands.cells import write_expected;"
        "write_expected(Path(sys.argv[1]), [['seed=0'], ['seed=1']])"
    )
    subprocess.run([sys.executable, "-c", code, str(sweep)], check=True)
    shown = once()
    assert "0 waiting" in shown
    assert "nothing will start them: 2 of the last sweep's cells" in shown
    # Of another machine no process is seen.
    write_record(sweep / EXPECTED, read_record(sweep / EXPECTED) | {"machine": "elsewhere"})
    assert "2 waiting" in once()


def test_a_sweep_notes_its_cells(
    ntmbench: Callable[..., Ended], tmp_path: Path, undrawn: None, once: Callable[[], str]
) -> None:
    ntmbench("-m", *TINY, "seed=0,1", "results_dir=.")
    (sweep,) = (tmp_path / "sweeps").iterdir()
    expected = read_expected(sweep)
    assert [cell.split()[-2:] for cell in expected.cells] == [
        [f"seed={seed}", "results_dir=."] for seed in (0, 1)
    ]
    assert (expected.process, expected.is_gone) == (os.getpid(), False)
    assert "0 running, 0 waiting, 2 finished, 0 failed" in once()
    (sweep / "1" / "cell.json").unlink()
    assert "nothing will start them: 1 of the last sweep's cells" in once()


def test_time_left_of_all() -> None:
    def run(**values: Any) -> Watched:
        return Watched("x", **{"state": "running", "sequences": 1000, **values})

    one = run(done=500, seconds=10.0)  # 10 s left
    other = run(done=250, seconds=10.0)  # 30 s left
    assert seconds_left([one, other], 0) == 30
    # 20 and 40 s in all: four that wait take 30 s each, by two processes.
    assert seconds_left([one, other], 4) == (10 + 30 + 4 * 30) / 2
    assert seconds_left([one, run()], 0) is None
    assert seconds_left([], 5) is None


def test_what_is_in_the_folder_does_not_steer_the_terminal(
    tmp_path: Path, once: Callable[[], str]
) -> None:
    fabricate(tmp_path, state="failed", error="\x1b[31mred [bold]bold[/bold] [/nope]\nnext")
    shown = once()
    assert "\x1b" not in shown
    assert "[31mred [bold]bold[/bold] [/nope] next" in shown


def test_most_rows(tmp_path: Path) -> None:
    sweep = tmp_path / "sweeps" / "a"
    write_expected(sweep, [[f"seed={seed}"] for seed in range(30)])
    (_, table) = View(tmp_path).look(12)
    assert getattr(table, "row_count", 0) == 12
    assert getattr(table, "caption", "") == "and 18 more"


def test_what_has_ended_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = fabricate(tmp_path, seed=0)
    fabricate(tmp_path, seed=1, state="running")
    watcher = Watcher(tmp_path)
    watcher.look()
    read: list[Path] = []
    read_status = RunFolder.read_status

    def noted(folder: RunFolder) -> dict[str, Any]:
        read.append(folder.path)
        return read_status(folder)

    monkeypatch.setattr(RunFolder, "read_status", noted)
    assert [run.state for run in watcher.look()] == ["finished", "interrupted"]
    assert ended.path not in read
    assert len(read) == 1
    ended.write_status(ended.read_status() | {"state": "failed", "error": "made anew"})
    assert [run.state for run in watcher.look()] == ["failed", "interrupted"]


def test_a_folder_that_is_not_there_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "nowhere")]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"ntmbench: There is no results folder at {tmp_path / 'nowhere'}.\n")
    assert main([str(tmp_path)]) == 0  # no run yet
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path), "--every", "0"])
    assert ended.value.code == 2


def test_a_terminal_is_refreshed_until_ctrl_c(tmp_path: Path) -> None:
    folder = fabricate(tmp_path, state="running", errors=[80, 12])
    controller, terminal = pty.openpty()
    with folder.locked():
        process = subprocess.Popen(
            [sys.executable, "-m", "ntmbench.watch", str(tmp_path), "--every", "0.1"],
            stdin=terminal,
            stdout=terminal,
            stderr=subprocess.PIPE,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"},
        )
        os.close(terminal)
        assert process.stderr is not None
        try:
            shown_until(controller, b"1 running, 0 waiting, 0 finished")
            status = folder.read_status()
            folder.write_status(status | {"state": "finished"})
            shown_until(controller, b"0 running, 0 waiting, 1 finished")
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
            assert process.stderr.read() == b""
        finally:
            process.kill()
            process.wait()
            process.stderr.close()
            os.close(controller)


def shown_until(controller: int, text: bytes) -> None:
    """Read what a terminal is sent up to a text, for a minute at most."""
    seen, until = b"", time.monotonic() + 60
    while text not in seen:
        ready, _, _ = select.select([controller], [], [], max(until - time.monotonic(), 0))
        assert ready, seen
        seen += os.read(controller, 4096)


def test_without_a_terminal_it_is_printed_once(tmp_path: Path) -> None:
    fabricate(tmp_path)
    ended = subprocess.run(
        [sys.executable, "-m", "ntmbench.watch", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "0 running, 0 waiting, 1 finished, 0 failed or interrupted\n"


def test_it_loads_neither_torch_nor_hydra() -> None:
    code = (
        "import sys; import ntmbench.commands.watch; "
        "sys.exit(bool({'torch', 'hydra', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
