"""`python -m ntmbench.bench.slots`: how a training step grows with the slots of a memory.

A sequence of T steps brings at most T slots of a sparse memory into use. So its time does not grow
with N, the slots that there are. It grows with the slots in use, which an exact search goes through
at every step: with the square of T, or with N T once all N are in use. Several lengths show that.
No row has a million slots in use: that takes a million steps, and the search alone about 0.2 s a
step in the end.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from rich.console import Console

from ntmbench.bench.cases import Step, training_step
from ntmbench.bench.measure import SLOW_SECONDS, time_in_turn
from ntmbench.bench.refusals import refusing
from ntmbench.bench.table import plain_table
from ntmbench.data.randomness import RandomWords, Stream
from ntmbench.errors import SettingError, check_range
from ntmbench.model import SequenceModel, TensorBatch
from ntmbench.registry import make_model, make_task


@dataclass(frozen=True)
class Options:
    """The command line, checked."""

    models: list[str]
    slots: list[int]
    length: list[int]
    batch: int
    seconds: float

    def __post_init__(self) -> None:
        """Check the ranges."""
        for slots in self.slots:
            check_range("--slots", slots, 2)
        for length in self.length:
            check_range("--length", length, 1)
        check_range("--batch", self.batch, 1)
        check_range("--seconds", self.seconds, 0)


@refusing("ntmbench.bench.slots")
def main(arguments: Sequence[str] | None = None) -> None:
    """Time copying in memories of growing size."""
    options = Options(**vars(_parser().parse_args(arguments)))
    table = measure(options)
    columns = {
        "model": ("model", "{}"),
        "steps": ("T", "{}"),
        "slots": ("N", "{}"),
        "ms": ("ms/step", "{:.2f}"),
    }
    Console().print(plain_table(table, columns, rule_between=["model", "steps"]))


def measure(options: Options) -> pd.DataFrame:
    """A row for each model, length and number of slots: milliseconds of a training step.

    Lengths and sizes come in ascending order. Where a step takes too long, larger memories at that
    length are left out, and longer sequences if it was the smallest memory.

    Raises:
        SettingError: for an unknown model, or one without a memory that can be enlarged.
    """
    task = make_task("copy")
    rows = []
    for name in options.models:
        model = make_model(name, task.input_width, task.output_width)
        for length in sorted(options.length):
            words = RandomWords(Stream.TRAINING, options.batch)
            batch = task.draw(words, options.batch, length, test=True)
            step = training_step(model, task, TensorBatch.of(batch, torch.device("cpu")))
            steps = len(batch.inputs)
            timed = _timed(name, model, step, options)
            rows += [{"model": name, "steps": steps, "slots": n, "ms": ms} for n, ms in timed]
            if timed[0][1] > 1000 * SLOW_SECONDS:
                break
    return pd.DataFrame(rows).drop_duplicates(["model", "steps", "slots"])


def _timed(
    name: str, model: SequenceModel, step: Step, options: Options
) -> list[tuple[int, float]]:
    """Numbers of slots, and the milliseconds of a step of the model with so many."""
    timed = []
    for slots in sorted(options.slots):
        with model.room_for(slots - 1) as got:
            if got is None:
                raise SettingError(
                    f"--models {name} has no memory that can be enlarged. "
                    "Allowed: models with slots, such as ntm and sparse_memory."
                )
            print(f"{name}, {got} slots", file=sys.stderr, flush=True)
            taken = time_in_turn({name: step}, options.seconds)[name].seconds
        timed.append((got, 1000 * taken))
        if taken > SLOW_SECONDS:
            break
    return timed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ntmbench.bench.slots", description=__doc__)

    def add(name: str, **of: object) -> None:
        parser.add_argument(name, **of)  # type: ignore[arg-type]

    add("--models", nargs="+", default=["sparse_memory", "ntm"], metavar="MODEL")
    add("--slots", nargs="+", type=int, default=[2**n for n in range(10, 21, 2)], metavar="N")
    add(
        "--length",
        nargs="+",
        type=int,
        default=[20],
        metavar="VECTORS",
        help="vectors of a sequence to copy (default 20)",
    )
    add("--batch", type=int, default=1, help="sequences of a batch (default 1)")
    add("--seconds", type=float, default=2.0, help="for each row, about (default 2)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
