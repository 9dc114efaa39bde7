"""``python -m tests.training.bench_devices``: training steps of every model on CPU and GPU.

Prints the milliseconds of forward and backward on the longest training sequences of copy, at the
width that the budget finds, on one thread of the CPU and on the GPU. ``device=auto`` compares
the same.
"""

from __future__ import annotations

import argparse
import copy
import sys

import torch
from hydra import compose

from ntmbench.composition.composing import composing, to_run_config
from ntmbench.registry import model_names
from ntmbench.runs.check import check_possible, initial_model
from ntmbench.training.device import DeviceError, check_device, step_seconds, training_step
from tests.small import APART


def main() -> int:
    """Time every model, and print a line for each."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.training.bench_devices", description=__doc__
    )
    parser.add_argument("--batches", nargs="+", type=int, default=[16, 256])
    batches: list[int] = parser.parse_args().batches
    try:
        check_device("cuda")
    except DeviceError as error:
        print(f"bench_devices: {error}", file=sys.stderr)
        return 2
    torch.set_num_threads(1)
    print(f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}")
    print(f"{'model':20}{'batch':>6}{'CPU ms':>10}{'GPU ms':>10}{'CPU / GPU':>10}")
    for name in sorted(set(model_names()) - APART - {"constant"}):
        with composing():
            config = to_run_config(compose("config", overrides=["task=copy", f"model={name}"]))
        model = check_possible(config)
        model = initial_model(config) if model is None else model
        for size in batches:
            step = training_step(config.task, size)
            cpu, gpu = (
                1000 * step_seconds(torch.device(device), copy.deepcopy(model), step)
                for device in ("cpu", "cuda")
            )
            print(f"{name:20}{size:>6}{cpu:>10.2f}{gpu:>10.2f}{cpu / gpu:>10.2f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
