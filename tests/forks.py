"""A command in a process of its own, forked from one that has imported everything already."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from pathlib import Path

from ntmbench.commands import application
from tests.conftest import Ended

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [__name__, "ntmbench.ntm.model", "ntmbench.baselines", "ntmbench.runs.pictures"]
)


def start_server() -> None:
    """Start the process that is forked; it does not take over this one's path by itself."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    try:
        first = FORKS.Process(target=_nothing)
        first.start()
        first.join()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    assert first.exitcode == 0


def forked(arguments: tuple[str, ...], folder: Path, prepare: Callable[[], None]) -> Ended:
    """Run ``python -m ntmbench ...`` in another process and a folder, after ``prepare`` there."""
    for name in ("out.txt", "err.txt"):
        (folder / name).write_text("")
    child = FORKS.Process(target=_in_child, args=(arguments, folder, prepare))
    child.start()
    child.join(300)
    assert child.exitcode is not None, "the process hangs"
    return Ended(child.exitcode, (folder / "out.txt").read_text(), (folder / "err.txt").read_text())


def _nothing() -> None:
    """Start and end."""


def _in_child(arguments: tuple[str, ...], folder: Path, prepare: Callable[[], None]) -> None:
    os.chdir(folder)
    sys.argv = ["ntmbench", *arguments]
    for stream, name in ((sys.stdout, "out.txt"), (sys.stderr, "err.txt")):
        os.dup2(os.open(name, os.O_WRONLY), stream.fileno())
    prepare()
    application.main()
