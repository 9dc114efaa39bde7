"""A campaign: the experiments of a folder of conf/experiment, one sweep after the other.

Each is a process of its own, since Hydra's settings belong to the whole process. A sweep runs
however the one before it ended.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence


def run_in_turn(sweeps: Iterable[Sequence[str]]) -> int:
    """Run command lines of ``python -m ntmbench``; return the first exit code that is not 0.

    An interrupt is passed on once to the sweep at work. The campaign ends when that sweep has ended
    by itself, because it has a checkpoint to write.
    """
    codes = [_run([sys.executable, "-m", "ntmbench", *arguments]) for arguments in sweeps]
    return next((code for code in codes if code), 0)


def _run(command: Sequence[str]) -> int:
    # A process group of its own keeps a terminal's Ctrl-C from the sweep. It gets ours instead, and
    # a second signal would stop it at once.
    process = subprocess.Popen(command, process_group=0)
    interrupted: KeyboardInterrupt | None = None
    while True:
        try:
            code = process.wait()
            break
        except KeyboardInterrupt as error:
            interrupted = error
            process.send_signal(getattr(error, "signal_number", signal.SIGINT))
    if interrupted is not None:
        raise interrupted
    return code if code >= 0 else 128 - code  # as a shell tells the signal that killed it
