"""`python -m tests.clusters.campaign CELLS [--cells-per-job N]`: a large sweep on Slurm, measured.

The sweep runs on a Slurm on loopback. Printed are how many cells have finished and how often each
was trained, the driver's memory, and the scheduling overhead: what a cell costs beyond its own run,
in seconds of a core.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tests.clusters.loopback import obstacle, slurm
from tests.clusters.sweeping import SHORT, started, trainings


@dataclass(frozen=True)
class Measured:
    """A sweep that has ended.

    Attributes:
        code: the driver's exit code.
        finished: cells that have finished, by its table.
        runs: folders of runs.
        trained_once: runs that were trained to their end exactly once.
        seconds: wall time of the driver.
        in_runs: wall time of all runs, in sum.
        driver_mb: the driver's largest memory, resident.
    """

    code: int
    finished: int
    runs: int
    trained_once: int
    seconds: float
    in_runs: float
    driver_mb: float


def measure(folder: Path, *arguments: str, environment: dict[str, str]) -> Measured:
    """Run a sweep in ``folder``."""
    begun = time.monotonic()
    with (folder / "driver.txt").open("w") as said:
        driver = started(*arguments, folder=folder, environment=environment, output=said.fileno())
        _, status, used = os.wait4(driver.pid, 0)
    seconds = time.monotonic() - begun
    results = folder / "results"
    (table,) = results.glob("sweeps/*/sweep.csv")
    statuses = [json.loads(path.read_text()) for path in results.glob("runs/*/status.json")]
    return Measured(
        code=os.waitstatus_to_exitcode(status),
        finished=int((pd.read_csv(table)["state"] == "finished").sum()),
        runs=len(statuses),
        trained_once=trainings(results).count(1),
        seconds=seconds,
        in_runs=sum(float(status["wall_seconds"]) for status in statuses),
        driver_mb=used.ru_maxrss / 1024,
    )


def main() -> int:
    """Run the campaign; the exit code is 1 if a cell was lost or run twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.clusters.campaign")
    parser.add_argument("cells", type=int)
    parser.add_argument("--cells-per-job", type=int, default=0)
    given = parser.parse_args()
    if reason := obstacle():
        print(reason, file=sys.stderr)
        return 2
    sweep = ("-m", *SHORT, f"seed=range({given.cells})", "hydra/launcher=slurm")
    chunks = f"hydra.launcher.cells_per_job={given.cells_per_job}"
    with (
        tempfile.TemporaryDirectory(prefix="slurm-") as place,
        tempfile.TemporaryDirectory(prefix="sweep-") as folder,
        slurm(Path(place)) as environment,
    ):
        done = measure(Path(folder), *sweep, chunks, environment=environment)
    cores = os.cpu_count() or 1
    overhead = (done.seconds * cores - done.in_runs) / given.cells
    print(
        f"{given.cells} cells, {given.cells_per_job or 'automatic'} in a job, {cores} cores: "
        f"exit code {done.code}, {done.finished} finished, {done.runs} runs, "
        f"{done.trained_once} trained exactly once; {done.seconds:.0f} s, of which a cell's run "
        f"{done.in_runs / given.cells:.2f} s and overhead {overhead:.2f} s of a core; "
        f"driver {done.driver_mb:.0f} MB"
    )
    return 0 if given.cells == done.finished == done.runs == done.trained_once else 1


if __name__ == "__main__":
    sys.exit(main())
