"""Four processes start the same sweep at the same moment, in an empty folder.

Every cell ends finished, with the same numbers. Each process says of each cell that it ran it, that
another one holds it, or that it is done already.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pandas as pd

from ntmbench.runs.folder import RunFolder
from ntmbench.runs.results import load_results
from tests.clusters.sweeping import trainings
from tests.faults.campaign import Campaign, Counted, Fault
from tests.faults.small_runs import differing, numbers, shown, small_run

PROCESSES = 4
ARGUMENTS = ("-m", *small_run("lstm"), "seed=0,1,2")
TOLD = ("finished", "held")


def campaign(number: int, seed: int) -> Counted:
    """Let four processes begin at once, so many times; their order is the machine's."""
    told: Counter[str] = Counter()
    faults: list[Fault] = []
    with tempfile.TemporaryDirectory() as folder:
        alone = _crowd(Path(folder) / "alone", 1)
        whole = _numbers(Path(folder) / "alone")
        for trial in range(number):
            together = Path(folder) / str(trial)
            crowd = _crowd(together, PROCESSES)
            wrong = [*_wrong(crowd), *_wrong(alone)]
            states = _states(together)
            told.update(states)
            if len(states) != len(whole) * PROCESSES or not set(states) <= set(TOLD):
                wrong.append(f"the tables tell of {states}")
            found = _numbers(together)
            for name in sorted({*whole, *found}):
                if different := differing(found.get(name, {}), whole.get(name, {})):
                    wrong.append(f"{name} is not the same: {different}")
            if (trained := trainings(together / "results")) != [1] * len(whole):
                wrong.append(f"runs were trained so many times: {trained}")
            if unreadable := load_results(together / "results").unreadable:
                wrong.append(str(unreadable))
            if wrong:
                repeat = f"{PROCESSES} times at once: {shown(ARGUMENTS)}"
                faults.append(Fault(repeat, "\n".join(wrong)))
    counts = ", ".join(f"{count} {how}" for how, count in sorted(told.items()))
    crowds = f"{number} times {PROCESSES} processes"
    return Counted(f"{crowds} that swept the same cells: {counts} or already done.", faults)


def _crowd(folder: Path, processes: int) -> list[tuple[int, str, str]]:
    """Start the sweep so many times at once; each process's exit code, output and errors."""
    folder.mkdir()
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "ntmbench", *ARGUMENTS],
            cwd=folder,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    ended = [process.communicate(timeout=600) for process in started]
    return [
        (process.returncode, out, err) for process, (out, err) in zip(started, ended, strict=True)
    ]


def _wrong(crowd: list[tuple[int, str, str]]) -> list[str]:
    """Processes that ended with a traceback, or otherwise than the cells that they ran tell."""
    return [
        f"exit code {code}: {out}{err}"
        for code, out, err in crowd
        if "Traceback" in out + err or code != ("at work on this run" in out)
    ]


def _states(folder: Path) -> list[str]:
    """What the sweeps' tables tell of their cells."""
    tables = [pd.read_csv(path) for path in (folder / "results" / "sweeps").glob("*/sweep.csv")]
    return [str(state) for table in tables for state in table["state"]]


def _numbers(folder: Path) -> dict[str, dict[str, object]]:
    runs = (folder / "results" / "runs").iterdir()
    return {path.name: numbers(RunFolder(path)) for path in runs}


CAMPAIGN = Campaign(campaign, short=0, slow=1, whole=10)
