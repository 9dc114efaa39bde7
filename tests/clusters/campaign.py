"""A sweep of many short cells by a launcher, what became of each, and what it cost.

    python -m tests.clusters.campaign 1000 hydra/launcher=ray hydra.launcher.cells_per_task=25
    python -m tests.clusters.campaign 1000 hydra/launcher=slurm hydra.launcher.cells_per_job=25

A sweep on Slurm starts one on loopback, which needs root and Debian's packages.

The overhead of a cell is the time that the processors had, from the start of the first run to the
end of the last, less the time of the runs, divided by the number of cells.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tests.clusters.loopback import obstacle, slurm
from tests.conftest import TINY


@dataclass(frozen=True)
class Counted:
    """What a sweep left behind.

    Attributes:
        cells: cells in the sweep's table.
        finished: those that finished.
        runs: runs that have a test grid.
        starts: how often a run began or was resumed, over all runs.
        run_seconds: the time of all runs.
        span: the time from the start of the first run to the end of the last.
    """

    cells: int
    finished: int
    runs: int
    starts: int
    run_seconds: float
    span: float


def counted(results: Path) -> Counted:
    """Count what the only sweep in a results folder left behind."""
    (sweep,) = (results / "sweeps").iterdir()
    table = pd.read_csv(sweep / "sweep.csv")
    runs = list((results / "runs").iterdir())
    logs = [(run / "log.txt").read_text() for run in runs]
    return Counted(
        cells=len(table),
        finished=int((table["state"] == "finished").sum()),
        runs=sum((run / "evaluation.csv").exists() for run in runs),
        starts=sum(log.count("parameters on") for log in logs),
        run_seconds=sum(
            json.loads((run / "status.json").read_text())["wall_seconds"] for run in runs
        ),
        span=max((run / "status.json").stat().st_mtime for run in runs)
        - min((run / "config.yaml").stat().st_mtime for run in runs),
    )


@contextmanager
def scheduler(launcher: tuple[str, ...]) -> Iterator[Mapping[str, str]]:
    """Start what the launcher needs; give the environment for it."""
    if "hydra/launcher=slurm" not in launcher:
        yield {}
        return
    if reason := obstacle():
        raise SystemExit(reason)
    # A socket's path must be short.
    with (
        tempfile.TemporaryDirectory(prefix="slurm-") as folder,
        slurm(Path(folder)) as environment,
    ):
        yield environment


def main(cells: int, *launcher: str) -> int:
    """Run the sweep, print the counts and costs, and return 0 if nothing is amiss."""
    processors = len(os.sched_getaffinity(0))
    with scheduler(launcher) as environment, tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results"
        sweep = ("-m", "task=copy", f"seed=range(0,{cells})", *TINY, *launcher)
        started = time.monotonic()
        driver = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "ntmbench", *sweep, f"results_dir={results}"],
            {**os.environ, "OMP_NUM_THREADS": "1", **environment},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 1, f"{folder}/output.txt", os.O_CREAT | os.O_WRONLY, 0o600)
            ],
        )
        _, status, usage = os.wait4(driver, 0)
        seconds = time.monotonic() - started
        found = counted(results)
    overhead = (found.span * processors - found.run_seconds) / cells
    print(f"{' '.join(launcher)}: exit code {os.waitstatus_to_exitcode(status)}")
    print(f"{found.finished} of {cells} cells finished, {found.runs} runs, {found.starts} starts")
    around = seconds - found.span
    print(f"{seconds:.0f} s on {processors} processors, {around:.0f} s of it around the runs")
    print(f"a run {found.run_seconds / cells:.2f} s, overhead {overhead:.3f} s a cell")
    print(f"the driver took at most {usage.ru_maxrss / 1024:.0f} MB")
    return 0 if (found.finished, found.runs, found.starts) == (cells, cells, cells) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), *sys.argv[2:]))
