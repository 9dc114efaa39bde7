"""The first training step of a process: with nothing compiled yet, and with a filled cache.

``python -m ntmbench.bench.first_call`` takes the steps and prints its seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

import torch

from ntmbench.bench.cases import CASES, Contender, training_step
from ntmbench.errors import UserError
from ntmbench.model import TensorBatch
from ntmbench.training.optimizers import make_optimizer
from ntmbench.training.settings import TrainSettings


@dataclass(frozen=True)
class FirstCall:
    """Seconds of the first forward and backward pass, and of the first update of the weights."""

    model: float
    optimizer: float


def measure_first_calls(threads: int) -> tuple[FirstCall, FirstCall]:
    """Time the first step of a fresh process, with an empty and with a filled cache of kernels.

    Raises:
        UserError: if the process fails.
    """
    with tempfile.TemporaryDirectory() as cache:
        return _in_process(cache, threads), _in_process(cache, threads)


def _in_process(cache: str, threads: int) -> FirstCall:
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "ntmbench.bench.first_call", str(threads)],
            env={**os.environ, "NUMBA_CACHE_DIR": cache},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise UserError(
            f"The process that takes the first training step failed with code {error.returncode}. "
            "--no-first-call leaves it out."
        ) from error
    return FirstCall(**json.loads(ended.stdout))


def main() -> None:
    """Take the steps with the command line's number of threads, and print their seconds."""
    torch.set_num_threads(int(sys.argv[1]))
    case = CASES["copy-20"]
    model = Contender("fused").model(case)
    step = training_step(model, case.task, TensorBatch.of(case.batch(1), torch.device("cpu")))
    optimizer = make_optimizer(model, TrainSettings(weight_average=0.999))
    started = time.perf_counter()
    step()
    stepped = time.perf_counter()
    optimizer.step(0)
    updated = time.perf_counter()
    print(json.dumps({"model": stepped - started, "optimizer": updated - stepped}))


if __name__ == "__main__":
    main()
