"""`python -m ntmbench.bench.slstm_cells`: the forms of the sLSTM's cells, side by side.

Both are timed in turn, forward and backward, on the same random numbers.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable, Sequence
from itertools import product

import pandas as pd
import torch
from rich.console import Console
from torch import Tensor

from ntmbench.bench.measure import time_in_turn
from ntmbench.bench.refusals import refusing
from ntmbench.bench.table import plain_table
from ntmbench.engine.slstm_cells import slstm_cells, slstm_cells_eager
from ntmbench.errors import check_range

FORMS = {"fused": slstm_cells, "eager": slstm_cells_eager}


def draw(steps: int, batch: int, heads: int, size: int) -> tuple[Tensor, Tensor]:
    """Gates ``[T, B, H, 4, S]`` and recurrent weights ``[H, S, 4 S]``, with gradients."""
    generator = torch.Generator().manual_seed(1)
    given = torch.randn(steps, batch, heads, 4, size, generator=generator)
    recurrent = torch.randn(heads, size, 4 * size, generator=generator) / size**0.5
    return given.requires_grad_(), recurrent.requires_grad_()


def step(form: Callable[[Tensor, Tensor], Tensor], given: Tensor, recurrent: Tensor) -> None:
    """One pass forward and backward."""
    outputs = form(given, recurrent)
    torch.autograd.grad(outputs, (given, recurrent), torch.ones_like(outputs))


def measure(steps: int, batch: int, heads: int, size: int, seconds: float) -> pd.DataFrame:
    """A row for each form."""
    drawn = draw(steps, batch, heads, size)
    taken = {name: functools.partial(step, form, *drawn) for name, form in FORMS.items()}
    timings = time_in_turn(taken, seconds)
    return pd.DataFrame(
        {
            "steps": steps,
            "batch": batch,
            "form": name,
            "ms": timing.seconds * 1e3,
            "ms_lowest": timing.lowest * 1e3,
            "over_fused": timing.seconds / timings["fused"].seconds,
        }
        for name, timing in timings.items()
    )


@refusing("ntmbench.bench.slstm_cells")
def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all sizes and print the table."""
    parser = argparse.ArgumentParser("python -m ntmbench.bench.slstm_cells", description=__doc__)
    parser.add_argument("--steps", type=int, nargs="+", default=[41, 256])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--heads", type=int, default=2)
    parser.add_argument("--size", type=int, default=24, help="cells of each head")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each line of cases")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args(arguments)
    for name in ("steps", "batch"):
        for count in getattr(asked, name):
            check_range(f"--{name}", count, 1)
    for name in ("heads", "size", "threads"):
        check_range(f"--{name}", getattr(asked, name), 1)
    check_range("--seconds", asked.seconds, 0)
    torch.set_num_threads(asked.threads)
    table = pd.concat(
        [
            measure(steps, batch, asked.heads, asked.size, asked.seconds)
            for steps, batch in product(asked.steps, asked.batch)
        ],
        ignore_index=True,
    )
    shown = {
        "steps": ("T", "{}"),
        "batch": ("batch", "{}"),
        "form": ("form", "{}"),
        "ms": ("ms", "{:.2f}"),
        "ms_lowest": ("lowest", "{:.2f}"),
        "over_fused": ("x fused", "{:.1f}"),
    }
    console = Console()
    console.print(plain_table(table, shown, rule_between=["steps", "batch"]))
    console.print(f"{asked.heads} heads of {asked.size} cells, {asked.threads} threads.")


if __name__ == "__main__":
    sys.exit(main())
