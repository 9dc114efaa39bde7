"""``python -m tests.report.bench_report [--seeds 56]``: what a report over a thousand runs takes.

Fabricates runs of six tasks by three models with whole curves, grids, positions and examples, and
prints the seconds from the folders to the written report, and the sizes of what was written.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ntmbench.registry import make_task
from ntmbench.report.__main__ import write
from tests.fabricated import fabricate

#: Those of the reference results.
TASKS = ("copy", "ngrams", "priority_sort", "recall", "repeat_copy", "sorting")
MODELS = ("ntm", "lstm", "seq2seq")
VALIDATIONS = 100


def main() -> int:
    """Fabricate, report, and print the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.report.bench_report", description=__doc__
    )
    parser.add_argument("--seeds", type=int, default=56, help="of each model; default: %(default)s")
    seeds: int = parser.parse_args().seeds
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder)
        for task in TASKS:
            for model in MODELS:
                for seed in range(seeds):
                    fabricate_run(results, task, model, seed)
        runs = len(list((results / "runs").iterdir()))
        started = time.perf_counter()
        write(results)
        seconds = time.perf_counter() - started
        page = (results / "report" / "index.html").stat().st_size
        files = [path for path in (results / "report").rglob("*") if path.is_file()]
        total = sum(path.stat().st_size for path in files)
    print(f"{runs:,} runs: {seconds:.1f} s, page {page / 1e6:.1f} MB, all {total / 1e6:.1f} MB")
    return 0


def fabricate_run(results: Path, task: str, model: str, seed: int) -> None:
    """A finished run that learns at a pace of its own and leaves some mistakes."""
    random = np.random.default_rng([seed, MODELS.index(model), TASKS.index(task)])
    pace = random.uniform(2, 10) * (1 + 3 * (model != "ntm"))
    left = random.choice([0.0, random.exponential(0.5)]) + 20 * (model != "ntm")
    errors = left + 60 * np.exp(-np.arange(VALIDATIONS) / pace)
    lengths = make_task(task).test_lengths
    fabricate(
        results,
        task,
        model,
        seed,
        errors=[float(bits) for bits in errors],
        tested={length: left * (1 + place) for place, length in enumerate(lengths)},
        positions={length: [left / length] * min(length, 200) for length in lengths},
        example=min(left / 100, 1.0),
    )


if __name__ == "__main__":
    sys.exit(main())
