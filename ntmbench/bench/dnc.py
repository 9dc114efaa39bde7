"""`python -m ntmbench.bench.dnc`: training steps of the DNC, fused, eager and of PyPI's `dnc`.

All are timed in turn in one process, forward and backward from a gradient of ones, on the same
random numbers and with the same sizes. On a busy machine ``--processor`` leaves out the time that
others take.

PyPI's package, which the extra `oracles` installs, is left out where it is missing.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import importlib.util
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from rich.console import Console
from torch import Tensor, nn

from ntmbench.bench import peer
from ntmbench.bench.measure import time_in_turn
from ntmbench.bench.peers.dnc import build
from ntmbench.bench.refusals import refusing
from ntmbench.bench.table import plain_table
from ntmbench.errors import check_range
from ntmbench.registry import make_model

INPUTS, OUTPUTS = 9, 8
WIDTH = 120


@dataclass(frozen=True)
class Sizes:
    """Sizes of a DNC; what they leave open is the model's default."""

    name: str
    slots: int
    words: int
    heads: int
    units: int = 100

    @property
    def settings(self) -> dict[str, Any]:
        """These sizes as the model's settings."""
        return {
            "controller_size": self.units,
            "memory_slots": self.slots,
            "word_size": self.words,
            "read_heads": self.heads,
        }


SIZES = (
    Sizes("default", slots=128, words=20, heads=1),
    Sizes("small", slots=64, words=16, heads=1),
    Sizes("small, 4 heads", slots=64, words=16, heads=4),
)


def step(model: nn.Module, run: Callable[[Tensor], Tensor], inputs: Tensor) -> None:
    """One pass forward and backward."""
    logits = run(inputs)
    torch.autograd.grad(logits, list(model.parameters()), torch.ones_like(logits))


def pypi_is_installed() -> bool:
    """Whether PyPI's package is there."""
    return importlib.util.find_spec("dnc") is not None


def contenders(sizes: Sizes, inputs: Tensor) -> dict[str, Callable[[], None]]:
    """A training step of each form by its name."""
    model: Any = make_model("dnc", INPUTS, OUTPUTS, **sizes.settings)
    runs: dict[str, tuple[nn.Module, Callable[[Tensor], Tensor]]] = {
        "fused": (model, model),
        "eager": (model, model.forward_eager),
    }
    if pypi_is_installed():
        beside = peer.Sizes(INPUTS, OUTPUTS, len(inputs))
        theirs = build(importlib.import_module("dnc"), model.settings, beside)
        runs["PyPI's dnc"] = (theirs, theirs)
    return {name: functools.partial(step, *run, inputs) for name, run in runs.items()}


def measure(
    sizes: Sizes, steps: int, batch: int, seconds: float, clock: Callable[[], float]
) -> pd.DataFrame:
    """A row for each form."""
    generator = torch.Generator().manual_seed(1)
    inputs = torch.rand(steps, batch, INPUTS, generator=generator)
    timings = time_in_turn(contenders(sizes, inputs), seconds, clock)
    return pd.DataFrame(
        {
            "sizes": sizes.name,
            "steps": steps,
            "batch": batch,
            "form": name,
            "ms": timing.seconds * 1e3,
            "ms_lowest": timing.lowest * 1e3,
            "over_fused": timing.seconds / timings["fused"].seconds,
            "lowest_over_fused": timing.lowest / timings["fused"].lowest,
        }
        for name, timing in timings.items()
    )


@refusing("ntmbench.bench.dnc")
def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all sizes and print the table."""
    parser = argparse.ArgumentParser("python -m ntmbench.bench.dnc", description=__doc__)
    parser.add_argument("--steps", type=int, default=41)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--seconds", type=float, default=4.0, help="for each size and batch, about")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--processor", action="store_true", help="time the processor, not the wall clock"
    )
    asked = parser.parse_args(arguments)
    for batch in asked.batch:
        check_range("--batch", batch, 1)
    check_range("--steps", asked.steps, 1)
    check_range("--threads", asked.threads, 1)
    check_range("--seconds", asked.seconds, 0)
    torch.set_num_threads(asked.threads)
    clock = time.process_time if asked.processor else time.perf_counter
    table = pd.concat(
        [
            measure(sizes, asked.steps, batch, asked.seconds, clock)
            for sizes in SIZES
            for batch in asked.batch
        ],
        ignore_index=True,
    )
    shown = {
        "sizes": ("sizes", "{}"),
        "steps": ("T", "{}"),
        "batch": ("batch", "{}"),
        "form": ("form", "{}"),
        "ms": ("ms", "{:.2f}"),
        "ms_lowest": ("lowest", "{:.2f}"),
        "over_fused": ("x fused", "{:.1f}"),
        "lowest_over_fused": ("lowest x fused", "{:.1f}"),
    }
    console = Console(width=WIDTH)
    console.print(plain_table(table, shown, rule_between=["sizes", "batch"]))
    told = ", ".join(f"{s.name}: {s.slots} slots of {s.words}, {s.heads} read heads" for s in SIZES)
    timed = "the processor's time" if asked.processor else "wall time"
    console.print(f"{told}. {asked.threads} threads, {timed}.")


if __name__ == "__main__":
    sys.exit(main())
