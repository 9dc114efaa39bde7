"""The lock of a run: between processes, without a lock service, and between machines."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ntmbench.data import files
from ntmbench.runs import lock
from ntmbench.runs.folder import RunError, RunFolder
from ntmbench.runs.lock import TakenError, held, is_held
from tests.conftest import TINY, Ended

OTHER_MACHINE = "elsewhere/pid:[1] 17 4711 an-id"

#: Holds a lock until it is told to end, with or without a lock service.
HOLDER = """
import errno, fcntl, sys
from pathlib import Path
from ntmbench.runs.lock import held

def failing(*arguments):
    raise OSError(errno.ENOLCK, "No locks available")

if sys.argv[2] == "without":
    fcntl.flock = failing
with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def without_service(monkeypatch: pytest.MonkeyPatch, number: int = errno.ENOLCK) -> None:
    def failing(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", failing)


@pytest.fixture(params=["with", "without"])
def service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whether there is a lock service."""
    chosen: str = request.param
    if chosen == "without":
        without_service(monkeypatch)
    return chosen


@pytest.fixture
def holder(tmp_path: Path, service: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock on ``.lock`` in ``tmp_path``."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / ".lock"), service],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_one_process_at_a_time(tmp_path: Path, holder: subprocess.Popen[str], service: str) -> None:
    folder = RunFolder(tmp_path)
    assert folder.is_locked()
    with pytest.raises(RunError, match="at work on this run") as refused, folder.locked():
        pytest.fail("both hold it")
    assert (f"process {holder.pid} on " in str(refused.value)) == (service == "without")
    holder.communicate("end\n")
    assert not folder.is_locked()
    with folder.locked():
        assert folder.is_locked()
    assert not folder.is_locked()
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_killed_process_holds_nothing(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    folder = RunFolder(tmp_path)
    assert not folder.is_locked()
    started = time.monotonic()
    with folder.locked():
        assert folder.is_locked()
    assert time.monotonic() - started < 2  # it is seen to be gone, and not waited for


def test_a_look_keeps_nobody_from_the_lock(tmp_path: Path) -> None:
    with (tmp_path / ".lock").open("w") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        ending = threading.Timer(0.05, looking.close)
        ending.start()
        with held(tmp_path / ".lock"):
            assert is_held(tmp_path / ".lock")
        ending.join()


@pytest.mark.parametrize("number", sorted(lock.NO_SERVICE))
def test_a_run_without_a_lock_service(
    ntmbench: Callable[..., Ended],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    undrawn: None,
    number: int,
) -> None:
    without_service(monkeypatch, number)
    assert ntmbench(*TINY).code == 0
    (path,) = (tmp_path / "results" / "runs").iterdir()
    assert RunFolder(path).read_status()["state"] == "finished"
    assert not list(path.glob("*.owner"))
    with RunFolder(path).locked():
        ended = ntmbench(*TINY, "rerun=true")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert f"Another process (process {os.getpid()} on " in ended.err


def test_another_fault_is_not_taken_for_a_missing_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_service(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match="Input/output error"), held(tmp_path / ".lock"):
        pytest.fail("held")
    with pytest.raises(OSError, match="Input/output error"):
        is_held(tmp_path / ".lock")


# --- Machines that do not see each other's processes, and whose clocks differ. ---


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock without a lock service, whose owners beat fast."""
    without_service(monkeypatch)
    monkeypatch.setattr(lock, "BEAT", 0.05)
    monkeypatch.setattr(lock, "PATIENCE", 0.5)
    (tmp_path / ".lock").touch()
    return tmp_path / ".lock"


def owner_of(path: Path) -> Path:
    return path.with_name(".lock.owner")


@pytest.mark.parametrize("hours", [-1000, 0, 1000])
def test_a_beating_owner_elsewhere_keeps_its_lock(path: Path, hours: int) -> None:
    ended = threading.Event()

    def beat() -> None:
        number = 0
        while not ended.wait(0.1):
            number += 1
            owner_of(path).write_text(f"{OTHER_MACHINE} {number}")
            os.utime(owner_of(path), (time.time() + 3600 * hours,) * 2)

    owner_of(path).write_text(f"{OTHER_MACHINE} 0")
    beating = threading.Thread(target=beat)
    beating.start()
    try:
        assert is_held(path)
        with pytest.raises(TakenError, match=r"process 17 on elsewhere$"), held(path):
            pytest.fail("both hold it")
    finally:
        ended.set()
        beating.join()
    assert owner_of(path).read_text().startswith(OTHER_MACHINE)


@pytest.mark.parametrize("years", [-30, 30])
def test_a_clock_that_jumps_changes_no_wait(
    path: Path, monkeypatch: pytest.MonkeyPatch, years: int
) -> None:
    """Neither is the lock of a living owner taken at once, nor is one waited for without end."""
    clock, looks = time.monotonic, iter(range(10**6))
    monkeypatch.setattr(lock, "PATIENCE", 0.1)

    def jumping() -> float:
        return clock() + years * 365 * 86400 * next(looks)

    owner_of(path).write_text(f"{OTHER_MACHINE} 3")
    with monkeypatch.context() as patched:
        patched.setattr(time, "monotonic", jumping)
        started = time.perf_counter()
        with held(path):
            waited = time.perf_counter() - started
    assert 0.1 <= waited < 5


@pytest.mark.parametrize("content", [f"{OTHER_MACHINE} 3", "", "\0\0"])
@pytest.mark.parametrize("hours", [-1000, 1000])
def test_an_owner_that_stands_still_loses_its_lock(path: Path, content: str, hours: int) -> None:
    owner_of(path).write_text(content)
    os.utime(owner_of(path), (time.time() + 3600 * hours,) * 2)
    started = time.monotonic()
    with held(path):
        assert owner_of(path).read_text().split()[1] == str(os.getpid())
    assert time.monotonic() - started >= 0.5
    assert [file.name for file in path.parent.iterdir()] == [".lock"]


def test_a_process_that_has_the_number_of_the_owner_is_not_it(path: Path) -> None:
    with held(path):
        machine, process, started, *_ = owner_of(path).read_text().split()
    assert started.isdigit()
    owner_of(path).write_text(f"{machine} {process} {int(started) - 1} an-id 3")
    assert not is_held(path)
    with held(path):
        assert is_held(path)


def test_one_of_many_takes_a_lock_that_was_left(path: Path) -> None:
    for _ in range(10):
        owner_of(path).write_text(f"{lock._machine()} {2**22 + 1} 1 an-id 3")
        together = threading.Barrier(8)
        taken: list[bool] = []

        def take(together: threading.Barrier = together, taken: list[bool] = taken) -> None:
            owner = lock._Owner(owner_of(path))
            together.wait()
            try:
                owner.acquire()
            except TakenError:
                together.wait()
                return
            taken.append(True)
            together.wait()  # it is held until all have tried
            owner.release()

        threads = [threading.Thread(target=take) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert taken == [True]
        assert not owner_of(path).exists()


def test_who_was_killed_while_it_removed_a_stale_lock_is_told(path: Path) -> None:
    owner_of(path).write_text(f"{lock._machine()} {2**22 + 1} 1 an-id 3")
    left = path.with_name(".lock.owner.removing")
    left.touch()
    with pytest.raises(TakenError, match=str(left)), held(path):
        pytest.fail("held")
    left.unlink()
    with held(path):
        assert is_held(path)


@pytest.mark.slow
def test_an_owner_that_lost_its_lock_is_interrupted(path: Path) -> None:
    def hold() -> None:
        with held(path):
            owner_of(path).write_text(f"{OTHER_MACHINE} 0")
            time.sleep(10)

    with pytest.raises(KeyboardInterrupt):
        hold()
    assert owner_of(path).read_text() == f"{OTHER_MACHINE} 0"  # it is the other's


def test_an_owner_beats(path: Path) -> None:
    with held(path):
        seen: set[str] = set()
        until = time.monotonic() + 5
        while len(seen) < 3 and time.monotonic() < until:
            seen.add(owner_of(path).read_text().split()[-1])
            time.sleep(0.01)
    assert len(seen) == 3


# --- What appears late, or is replaced meanwhile. ---


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ESTALE])
def test_a_folder_that_appears_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    opened, waits = os.open, [number] * 3

    def late(path: Path, *arguments: int) -> int:
        if waits:
            raise OSError(waits.pop(), "not yet")
        return opened(path, *arguments)

    monkeypatch.setattr(os, "open", late)
    with held(tmp_path / ".lock"):
        assert not waits


def test_a_folder_that_never_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "LATE", 0.1)
    with pytest.raises(FileNotFoundError), held(tmp_path / "nowhere" / ".lock"):
        pytest.fail("held")


def test_a_file_that_is_replaced_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, stale = Path.read_bytes, [errno.ESTALE] * 2
    (tmp_path / "file").write_text("new")

    def replaced(path: Path) -> bytes:
        if stale:
            raise OSError(stale.pop(), "Stale file handle")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", replaced)
    assert files.read_bytes(tmp_path / "file") == b"new"
    stale.extend([errno.EIO])
    with pytest.raises(OSError, match="Stale"):
        files.read_bytes(tmp_path / "file")
