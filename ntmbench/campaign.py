"""A campaign: the experiments of a folder of conf/experiment, one sweep after the other.

Each is a process of its own, since Hydra's settings belong to the whole process. None is stopped by
what another came to.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence


def run_in_turn(sweeps: Iterable[Sequence[str]]) -> int:
    """Run command lines of ``python -m ntmbench``; returns the first exit code that is not 0.

    An interrupt waits for the sweep at work, which gets it as well or is told, to end by itself:
    it has a checkpoint to write. Then it goes on.
    """
    codes = [_run([sys.executable, "-m", "ntmbench", *arguments]) for arguments in sweeps]
    return next((code for code in codes if code), 0)


def _run(command: Sequence[str]) -> int:
    process = subprocess.Popen(command)
    try:
        return process.wait()
    except KeyboardInterrupt as interrupted:
        # Ctrl-C in a terminal reaches both; a signal to this process alone is passed on.
        if process.poll() is None and getattr(interrupted, "signal_number", None):
            process.terminate()
        process.wait()
        raise
