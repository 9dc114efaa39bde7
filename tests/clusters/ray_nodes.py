"""A Ray cluster of two nodes on this machine, started as README's user would, and always ended."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

#: Seconds that a node takes at most to start, and to be seen by the head.
START = 60.0
#: Nobody outside this machine is to see a test's cluster, and no token is left at home.
ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled", "OMP_NUM_THREADS": "1"}
#: Bytes of a node's object store, nearly the least that Ray allows.
STORE = 80 * 2**20


@dataclass(frozen=True)
class Node:
    """A node: the session in which `ray start` and all that it started run."""

    session: int

    def processes(self) -> list[int]:
        """The node's processes that have not ended."""
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            process = int(folder.name)
            try:
                if os.getsid(process) == self.session and not _has_ended(folder):
                    found.append(process)
            except OSError:  # it has ended meanwhile
                continue
        return found

    def workers(self) -> list[int]:
        """The processes that run a chunk."""
        return [process for process in self.processes() if b"ray::cell" in _command(process)]

    def kill(self) -> None:
        """End the node as a machine dies that loses power: all at once, without a warning."""
        until = time.monotonic() + START
        while processes := self.processes():
            for process in processes:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            assert time.monotonic() < until, f"{processes} cannot be killed"
            time.sleep(0.05)


@dataclass(frozen=True)
class Cluster:
    """A head, and a second node that can be killed.

    Attributes:
        address: the head's, for ``hydra.launcher.address``.
    """

    address: str
    head: Node
    second: Node


@contextmanager
def two_nodes() -> Iterator[Cluster]:
    """A cluster with one CPU on each of its two nodes."""
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # a socket's path must be short
    port = _free_port()
    address = f"127.0.0.1:{port}"
    nodes: list[Node] = []
    try:
        # One log monitor reads for both nodes, whose logs are in one folder here.
        for options in (
            ["--head", f"--port={port}", f"--temp-dir={folder}", "--include-dashboard=false"],
            [f"--address={address}", "--include-log-monitor=false"],
        ):
            log = folder / f"start-{len(nodes)}.txt"
            nodes.append(_start(log, options))
            _wait(nodes[-1], log)
        yield Cluster(address, *nodes)
    finally:
        for node in reversed(nodes):
            node.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _start(log: Path, options: list[str]) -> Node:
    with log.open("w") as file:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "ray.scripts.scripts", "start", "--block"),
                *("--num-cpus=1", f"--object-store-memory={STORE}"),
                *("--node-ip-address=127.0.0.1", *options),
            ],
            env={**os.environ, **ENVIRONMENT},
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Node(process.pid)


def _wait(node: Node, log: Path) -> None:
    """Wait until a node says that it runs."""
    until = time.monotonic() + START
    while "Ray runtime started" not in log.read_text():
        if not node.processes() or time.monotonic() > until:
            raise RuntimeError(f"`ray start` failed:\n{log.read_text()}")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _command(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:  # it has ended meanwhile
        return b""


def _has_ended(folder: Path) -> bool:
    """Whether only the parent's look at a process is left of it."""
    return (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
