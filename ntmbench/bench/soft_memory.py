"""`python -m ntmbench.bench.soft_memory`: networks with stacks and tapes, beside an LSTM.

A training step of copying, forward and backward, in the compiled kernels and in PyTorch operations,
and of one layer of PyTorch's own LSTM, all as wide as a budget of parameters allows.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from rich.console import Console
from torch import Tensor, nn

from ntmbench.bench.cases import training_step
from ntmbench.bench.measure import time_in_turn
from ntmbench.bench.refusals import refusing
from ntmbench.bench.table import plain_table
from ntmbench.data.randomness import RandomWords, Stream
from ntmbench.errors import check_choice, check_range
from ntmbench.model import SequenceModel, TensorBatch
from ntmbench.registry import make_model, make_task
from ntmbench.runs.budget import Budget, with_width
from ntmbench.task import Task

MODELS = ("stack_rnn", "tape_rnn")


@dataclass(frozen=True)
class Options:
    """The command line, checked."""

    models: list[str]
    length: int
    batch: list[int]
    parameters: int
    threads: int
    seconds: float
    processor: bool

    def __post_init__(self) -> None:
        """Check choices and ranges."""
        for model in self.models:
            check_choice("--models", model, MODELS)
        for batch in self.batch:
            check_range("--batch", batch, 1)
        check_range("--length", self.length, 1)
        check_range("--parameters", self.parameters, 1)
        check_range("--threads", self.threads, 1)
        check_range("--seconds", self.seconds, 0)


class _Eager(nn.Module):
    """A model in PyTorch operations."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.model.forward_eager(inputs)
        return logits


@refusing("ntmbench.bench.soft_memory")
def main(arguments: Sequence[str] | None = None) -> None:
    """Time all forms in turn."""
    options = Options(**vars(_parser().parse_args(arguments)))
    torch.set_num_threads(options.threads)
    table = measure(options)
    columns = {
        "model": ("model", "{}"),
        "form": ("form", "{}"),
        "parameters": ("parameters", "{}"),
        "steps": ("T", "{}"),
        "batch": ("batch", "{}"),
        "ms": ("ms/step", "{:.2f}"),
        "ms_lowest": ("lowest", "{:.2f}"),
        "over_lstm": ("x LSTM", "{:.2f}"),
    }
    Console().print(plain_table(table, columns, rule_between=["batch"]))


def measure(options: Options) -> pd.DataFrame:
    """A row for each size of batch, model and form; all of a batch are timed in turn."""
    task = make_task("copy")
    lstm = _as_wide_as_allowed("lstm", task, options.parameters, layers=1)
    forms: dict[tuple[str, str], nn.Module] = {("lstm", "PyTorch"): lstm}
    for name in options.models:
        model = _as_wide_as_allowed(name, task, options.parameters)
        forms |= {(name, "fused"): model, (name, "eager"): _Eager(model)}
    clock = time.process_time if options.processor else time.perf_counter
    rows = []
    for size in options.batch:
        drawn = task.draw(RandomWords(Stream.TRAINING, size), size, options.length, test=True)
        batch = TensorBatch.of(drawn, torch.device("cpu"))
        steps = {key: training_step(form, task, batch) for key, form in forms.items()}
        named = {" ".join(key): step for key, step in steps.items()}
        timings = time_in_turn(named, options.seconds, clock)
        for (key, form), timing in zip(forms.items(), timings.values(), strict=True):
            rows.append(
                {
                    "model": key[0],
                    "form": key[1],
                    "parameters": sum(weight.numel() for weight in form.parameters()),
                    "steps": len(batch.inputs),
                    "batch": size,
                    "ms": 1000 * timing.seconds,
                    "ms_lowest": 1000 * timing.lowest,
                    "over_lstm": timing.seconds / timings["lstm PyTorch"].seconds,
                }
            )
    return pd.DataFrame(rows)


def _as_wide_as_allowed(name: str, task: Task, parameters: int, **settings: int) -> SequenceModel:
    widths = with_width(name, {**settings, "hidden_size": 0}, task, Budget(parameters))
    return make_model(name, task.input_width, task.output_width, **widths)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ntmbench.bench.soft_memory", description=__doc__
    )

    def add(name: str, **of: object) -> None:
        parser.add_argument(name, **of)  # type: ignore[arg-type]

    add(
        "--models", nargs="+", default=list(MODELS), metavar="MODEL", help=f"of {', '.join(MODELS)}"
    )
    add("--length", type=int, default=20, help="vectors of a sequence to copy (default 20)")
    add("--batch", nargs="+", type=int, default=[1, 16], metavar="B", help="sequences of a batch")
    add("--parameters", type=int, default=40_000, help="of each model, at most (default 40000)")
    add("--threads", type=int, default=1, help="of PyTorch (default 1)")
    add("--seconds", type=float, default=4.0, help="for each size of batch, about (default 4)")
    add("--processor", action="store_true", help="time the processor, not the wall clock")
    return parser


if __name__ == "__main__":
    sys.exit(main())
