"""`python -m ntmbench.bench.first_call`: the first training step of a process.

It is taken by a process of its own, with nothing compiled yet, and by another with the cache of
kernels that the first has filled.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from rich.console import Console

from ntmbench.bench.contestants import contestant_names
from ntmbench.bench.machine import cores
from ntmbench.bench.refusals import refusing
from ntmbench.bench.table import plain_table
from ntmbench.errors import UserError, check_choice, check_range

#: A model of each set of kernels; all models with a matrix state share those of the last.
MODELS = ("ntm", "dnc", "stack_rnn", "tape_rnn", "slstm", "delta_net")


@dataclass(frozen=True)
class FirstCall:
    """Seconds of the first forward and backward pass, and of the first update of the weights."""

    model: float
    optimizer: float


@dataclass(frozen=True)
class Options:
    """The command line, checked."""

    models: list[str]
    threads: int

    def __post_init__(self) -> None:
        """Check names and ranges."""
        for model in self.models:
            check_choice("--models", model, contestant_names())
        check_range("--threads", self.threads, 1, cores())


def measure_first_calls(threads: int, model: str = "ntm") -> tuple[FirstCall, FirstCall]:
    """Time the first step of a fresh process, with an empty and with a filled cache of kernels.

    Raises:
        UserError: if the process fails.
    """
    with tempfile.TemporaryDirectory() as cache:
        return _in_process(cache, threads, model), _in_process(cache, threads, model)


def _in_process(cache: str, threads: int, model: str) -> FirstCall:
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "ntmbench.bench.first_step", model, str(threads)],
            env={**os.environ, "NUMBA_CACHE_DIR": cache},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise UserError(
            f"The process that takes the first training step failed with code {error.returncode}. "
            "ntmbench.bench leaves it out with --no-first-call."
        ) from error
    return FirstCall(**json.loads(ended.stdout))


@refusing("ntmbench.bench.first_call")
def main(arguments: Sequence[str] | None = None) -> None:
    """Time each model's first step and print a table."""
    options = Options(**vars(_parser().parse_args(arguments)))
    table = measure(options)
    columns = {
        "model": ("model", "{}"),
        "cache": ("cache", "{}"),
        "step_seconds": ("step s", "{:.2f}"),
        "optimizer_seconds": ("optimizer s", "{:.2f}"),
    }
    Console().print(plain_table(table, columns, rule_between=["model"]))


def measure(options: Options) -> pd.DataFrame:
    """Two rows for each model: with an empty and with a filled cache of kernels."""
    rows = []
    for model in options.models:
        calls = measure_first_calls(options.threads, model)
        for cache, call in zip(("empty", "filled"), calls, strict=True):
            rows.append(
                {
                    "model": model,
                    "cache": cache,
                    "step_seconds": call.model,
                    "optimizer_seconds": call.optimizer,
                }
            )
    return pd.DataFrame(rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ntmbench.bench.first_call", description=__doc__
    )
    parser.add_argument(
        "--models",
        nargs="+",
        default=list(MODELS),
        metavar="MODEL",
        help=f"any models (default: {' '.join(MODELS)})",
    )
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
