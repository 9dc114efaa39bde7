"""``python -m tests.runs.bench_results [--runs 10000]``: what many runs take to be read back.

Fabricates finished runs of every task by three models, with whole curves, grids, positions,
looks and examples, and prints files, bytes and seconds: of the folders, of packing them, of the
archive.
"""

from __future__ import annotations

import argparse
import itertools
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ntmbench.commands.archive import pack
from ntmbench.registry import make_task, task_names
from ntmbench.runs.archive import NAME
from ntmbench.runs.folder import RunFolder
from ntmbench.runs.results import TABLES, Results, load_results
from ntmbench.runs.settings import run_name
from tests.fabricated import fabricate

MODELS = ("ntm", "lstm", "seq2seq")
VALIDATIONS = 100
#: The decimals of a number from the fourth on.
DECIMALS = re.compile(rb"\.\d{3}(\d+)")


def main() -> int:
    """Fabricate, read, pack, read again, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.runs.bench_results", description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000, help="default: %(default)s")
    runs: int = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        results = Path(name)
        fabricate_runs(results, runs)
        files = [path for path in (results / "runs").rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        print(f"{runs:,} runs: {len(files):,} files, {size / 1e6:,.0f} MB")
        loaded = timed("folders", lambda: load_results(results / "runs"))
        told = {key: len(getattr(loaded, key)) for key in TABLES}
        print(f"rows: {', '.join(f'{rows:,} {key}' for key, rows in told.items())}")
        timed("packing", lambda: pack(results / "runs", results / NAME))
        print(f"archive: {(results / NAME).stat().st_size / 1e6:,.1f} MB")
        timed("archive", lambda: load_results(results / NAME))
    return 0


def timed(what: str, work: Callable[[], Any]) -> Any:
    """What the work returns; prints how long it took, and how much of it was computing."""
    started, computed = time.perf_counter(), time.process_time()
    found: Results = work()
    seconds, computed = time.perf_counter() - started, time.process_time() - computed
    print(f"{what}: {seconds:.2f} s ({computed:.2f} s of a processor)")
    return found


def fabricate_runs(results: Path, runs: int) -> None:
    """Finished runs in turn of every task and model, each with scores and curve of its own."""
    patterns: dict[tuple[str, str], tuple[dict[str, Any], dict[str, bytes]]] = {}
    kinds = list(itertools.product(task_names(), MODELS))
    for number in range(runs):
        seed, (task, model) = number // len(kinds), kinds[number % len(kinds)]
        if seed == 0:
            folder = fabricate_run(results, task, model)
            contents = {p.name: p.read_bytes() for p in folder.path.iterdir() if p.is_file()}
            patterns[task, model] = folder.read_status(), contents
            continue
        status, contents = patterns[task, model]
        status = status | {"settings": status["settings"] | {"seed": seed}}
        path = results / "runs" / run_name(status["settings"])
        path.mkdir()
        for file, content in contents.items():
            (path / file).write_bytes(_of_seed(content, seed) if file.endswith(".csv") else content)
        RunFolder(path).write_status(status)


def fabricate_run(results: Path, task: str, model: str) -> RunFolder:
    """A run that learns and leaves some mistakes."""
    lengths = make_task(task).test_lengths
    return fabricate(
        results,
        task,
        model,
        errors=[0.123456789 + 60 / (place + 1.1) for place in range(VALIDATIONS)],
        tested={length: 0.123456789 * length for length in lengths},
        positions={
            length: [0.123456789 / (place + 1.1) for place in range(length)] for length in lengths
        },
        look={
            against: [0.123456789 / (place + 1.1) for place in range(bins)]
            for against, bins in (("position", 20), ("gap", 10), ("duplicates", 3))
        },
        heads={"slots_in_use": 12.3456789, "by_key": 0.123456789, "sharpness": 0.3456789}
        if model == "ntm"
        else None,
        example=0.1,
    )


def _of_seed(content: bytes, seed: int) -> bytes:
    """The same numbers up to their third decimal, with other digits after it for each seed."""
    digits = np.frombuffer(content, dtype=np.uint8).copy()
    places = np.concatenate(
        [np.arange(0), *(np.arange(*found.span(1)) for found in DECIMALS.finditer(content))]
    )
    digits[places] = np.random.default_rng(seed).integers(ord("1"), ord("9"), len(places))
    return digits.tobytes()


if __name__ == "__main__":
    sys.exit(main())
