"""A lock that one process at a time holds, on one machine or on several that share a file system.

It relies on ``flock``. On a local file system the kernel keeps the lock. On NFS (Linux 2.6.12 and
later) it becomes a lock of the whole file on the server, which NFSv4 has built in and NFSv3 leaves
to the service ``lockd``; Lustre wants the mount option ``flock``. The system gives the lock back
however its process ends, and the server that of a machine that died, when its lease runs out.
Mounts with ``nolock``, ``local_lock`` or ``localflock`` lock for one machine alone, and say nothing
of it.

Where there is no lock service, ``flock`` fails. A file beside, ``<name>.owner``, then stands for
the lock. It is created exclusively, which is atomic on every file system, and names the machine,
the process and a beat, a number that a thread of the owner raises every BEAT seconds. On the same
machine it is stale once its process is gone. Elsewhere it is stale once its beat has stood still
for PATIENCE seconds, which the one who waits counts by pauses. No clock is looked at, so that
clocks may differ and jump. Whoever removes a stale file first creates ``<name>.owner.removing``,
also exclusively.

An owner that was suspended for longer than PATIENCE may find that another one took its lock. It is
then interrupted as by Ctrl-C. Whatever both may have written to a run meanwhile, every file is
whole, and on CPU both compute the same numbers.

All machines that share a folder must mount it in the same way: those with one kind of lock do not
see the other kind.
"""

from __future__ import annotations

import _thread
import errno
import fcntl
import math
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

#: What ``flock`` fails with where nothing serves it.
NO_SERVICE = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS}
#: Seconds between two beats of an owner.
BEAT = 5.0
#: Seconds without a beat after which an owner on another machine is taken to be gone. A beat waits
#: for Python's interpreter lock, at most for the compilation of a kernel.
PATIENCE = 60.0
#: Seconds that a look at a lock takes at most.
LOOK = 0.2
#: Seconds that a folder which another machine has made may take to appear here.
LATE = 5.0


class TakenError(Exception):
    """Another process holds the lock. Its argument says which one, if that is known."""


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock on ``path``, a file that is made where it is missing.

    Raises:
        TakenError: if another process holds it.
        OSError: if the file cannot be made.
    """
    with _opened(path) as descriptor:
        try:
            _lock(descriptor)
        except OSError as error:
            if error.errno not in NO_SERVICE:
                raise
        else:
            yield
            return
    owner = _Owner(_owner_file(path))
    owner.acquire()
    try:
        yield
    finally:
        owner.release()


@contextmanager
def waited_for(path: Path) -> Iterator[None]:
    """Hold the lock on ``path`` as ``held`` does, once whoever holds it has given it back.

    Raises:
        OSError: if the file cannot be made.
    """
    while True:
        with ExitStack() as stack:
            try:
                stack.enter_context(held(path))
            except TakenError:
                time.sleep(LOOK / 10)
            else:
                yield
                return


def is_held(path: Path) -> bool:
    """Whether a process holds the lock on ``path``.

    Without a lock service, an owner on another machine counts as there until its file is removed.
    """
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    except OSError as error:
        if error.errno not in NO_SERVICE:
            raise
        content = _read(_owner_file(path))
        return content is not None and not _is_gone(content)
    return False


def _lock(descriptor: int) -> None:
    """Take the lock; try for a moment, since one who only looks has it for as long as that takes.

    Raises:
        TakenError: if another process holds it.
        OSError: if there is no lock service.
    """
    for _ in _tries(LOOK, LOOK / 10):
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
    raise TakenError("")


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """The file, open for writing, which a lock of its own asks for on NFS.

    Its folder was just made, perhaps by another machine: it may take a moment to be seen here.
    """
    descriptor = -1
    for last in _tries(LATE, 0.05):
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            break
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ESTALE) or last:
                raise
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class _Owner:
    """The lock where there is no lock service: a file that names its owner and beats."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._name = f"{_machine()} {os.getpid()} {_started(os.getpid())} {uuid.uuid4()}"
        self._ended = threading.Event()
        self._beating = threading.Thread(target=self._beat, name="lock", daemon=True)

    def acquire(self) -> None:
        """Make the file; remove that of an owner who is gone.

        Raises:
            TakenError: if an owner is there.
        """
        while not self._made():
            seen = _read(self._path)
            if seen is None:
                continue  # just released
            if not (_is_gone(seen) or self._stands_still(seen)):
                host, process = [*seen.split(), "?", "?"][:2]
                raise TakenError(f"process {process} on {host.partition('/')[0]}")
            self._remove(seen)
        self._beating.start()

    def release(self) -> None:
        """Stop beating and remove the file, unless it became another one's."""
        self._ended.set()
        self._beating.join()
        if self._is_mine():
            self._path.unlink(missing_ok=True)

    def _made(self) -> bool:
        try:
            file = self._path.open("x")
        except FileExistsError:
            return False
        try:
            with file:
                file.write(f"{self._name} 0")
        except OSError:  # a full disk
            self._path.unlink(missing_ok=True)
            raise
        return True

    def _stands_still(self, seen: str) -> bool:
        """Wait for a beat; whether none came. On this machine the process was seen to be there."""
        if seen.split()[:1] == [_machine()]:
            return False
        tries = _tries(PATIENCE, min(BEAT, PATIENCE) / 5)
        return all(_read(self._path) == seen for _ in tries)

    def _remove(self, seen: str) -> None:
        """Remove the file of an owner who is gone, unless another one did and has made its own.

        A second file keeps all but one of those who try from it.

        Raises:
            TakenError: if somebody was killed while removing it.
        """
        removing = self._path.with_name(f"{self._path.name}.removing")
        try:
            removing.open("x").close()
        except FileExistsError:
            if all(removing.exists() for _ in _tries(PATIENCE, BEAT / 100)):
                raise TakenError(f"or one that was killed and left {removing}") from None
            return
        try:
            if _read(self._path) == seen:
                self._path.unlink(missing_ok=True)
        finally:
            removing.unlink(missing_ok=True)

    def _is_mine(self) -> bool:
        return (_read(self._path) or "").startswith(self._name)

    def _beat(self) -> None:
        beat = 0
        while not self._ended.wait(BEAT):
            try:
                if not self._is_mine():
                    _thread.interrupt_main()
                    return
                beat += 1
                with self._path.open("r+") as file:
                    file.write(f"{self._name} {beat}")
            except OSError:  # a server that is away: the next beat may find it again
                continue


def _tries(seconds: float, pause: float) -> Iterator[bool]:
    """Something to do at once, and again after each pause; whether it is the last time.

    The pauses add up to so many seconds. They are counted, so that a clock that jumps neither cuts
    a wait short nor draws it out.
    """
    for _ in range(math.ceil(seconds / pause)):
        yield False
        time.sleep(pause)
    yield True


def _owner_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.owner")


def _read(path: Path) -> str | None:
    """The content, or None where there is no file."""
    try:
        return path.read_text(errors="replace")
    except FileNotFoundError:
        return None


def _is_gone(content: str) -> bool:
    """Whether the owner was a process of this machine, and is no more."""
    host, process, started, *_ = [*content.split(), "", "", ""]
    if host != _machine() or not process.isdigit():
        return False
    return _started(int(process)) != started


def _machine() -> str:
    """The name of the machine, and of the container in it whose processes are seen here."""
    try:
        return f"{socket.gethostname()}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # a system without /proc
        return socket.gethostname()


def _started(process: int) -> str:
    """When a process was started, in ticks since this machine was; empty for none.

    A number alone may be that of a process that came later.
    """
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return "unknown" if not Path("/proc/self/stat").exists() and _exists(process) else ""
    return stat.rpartition(")")[2].split()[19]


def _exists(process: int) -> bool:
    """Whether there is such a process, on a system without /proc."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
