"""`python -m ntmbench.bench.slots`: how a training step grows with the slots of a memory."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from rich.console import Console

from ntmbench.bench.cases import training_step
from ntmbench.bench.measure import SLOW_SECONDS, time_in_turn
from ntmbench.bench.table import plain_table
from ntmbench.data.randomness import RandomWords, Stream
from ntmbench.errors import SettingError, UserError, check_range
from ntmbench.model import TensorBatch
from ntmbench.registry import make_model, make_task

REFUSED = 2


@dataclass(frozen=True)
class Options:
    """The command line, checked."""

    models: list[str]
    slots: list[int]
    length: int
    batch: int
    seconds: float

    def __post_init__(self) -> None:
        """Check the ranges."""
        for slots in self.slots:
            check_range("--slots", slots, 2)
        check_range("--length", self.length, 1)
        check_range("--batch", self.batch, 1)
        check_range("--seconds", self.seconds, 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Time copying in memories of growing size; the exit code is 2 for what the user can mend."""
    try:
        options = Options(**vars(_parser().parse_args(arguments)))
        table = measure(options)
    except UserError as error:
        print(f"ntmbench.bench.slots: {error}", file=sys.stderr)
        return REFUSED
    columns = {"model": ("model", "{}"), "slots": ("N", "{}"), "ms": ("ms/step", "{:.2f}")}
    Console().print(plain_table(table, columns, rule_between=["model"]))
    return 0


def measure(options: Options) -> pd.DataFrame:
    """A row for each model and number of slots: milliseconds of a training step.

    Sizes come in ascending order, and a model is left out where a step takes too long before.

    Raises:
        SettingError: for an unknown model, or one without a memory that can be enlarged.
    """
    task = make_task("copy")
    batch = task.draw(
        RandomWords(Stream.TRAINING, options.batch), options.batch, options.length, test=True
    )
    tensors = TensorBatch.of(batch, torch.device("cpu"))
    rows = []
    for name in options.models:
        model = make_model(name, task.input_width, task.output_width)
        step = training_step(model, task, tensors)
        for slots in sorted(options.slots):
            with model.room_for(slots - 1) as got:
                if got is None:
                    raise SettingError(
                        f"--models {name} has no memory that can be enlarged. "
                        "Allowed: models with slots, such as ntm and sparse_memory."
                    )
                print(f"{name}, {got} slots", file=sys.stderr, flush=True)
                taken = time_in_turn({name: step}, options.seconds)[name].seconds
            rows.append({"model": name, "slots": got, "ms": 1000 * taken})
            if taken > SLOW_SECONDS:
                break
    return pd.DataFrame(rows).drop_duplicates(["model", "slots"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ntmbench.bench.slots", description=__doc__)

    def add(name: str, **of: object) -> None:
        parser.add_argument(name, **of)  # type: ignore[arg-type]

    add("--models", nargs="+", default=["sparse_memory", "ntm"], metavar="MODEL")
    add("--slots", nargs="+", type=int, default=[2**n for n in range(10, 21, 2)], metavar="N")
    add("--length", type=int, default=20, help="vectors of a sequence to copy (default 20)")
    add("--batch", type=int, default=1, help="sequences of a batch (default 1)")
    add("--seconds", type=float, default=2.0, help="for each row, about (default 2)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
