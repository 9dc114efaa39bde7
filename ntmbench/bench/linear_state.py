"""`python -m ntmbench.bench.linear_state`: the forms of the matrix states, beside the floor.

All forms are timed in turn, forward and backward, on the same random numbers. The chunked form is
tried with chunks of several sizes before, and the quickest is timed beside the others. The floor is
the time that the multiplications and additions of the recurrence take at the best rate of a matrix
product.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import pandas as pd
import torch
from rich.console import Console
from torch import Tensor
from torch.nn import functional

from ntmbench.bench.floor import PASSES, matrix_product_rate
from ntmbench.bench.measure import median_seconds, time_in_turn
from ntmbench.bench.refusals import refusing
from ntmbench.bench.table import plain_table
from ntmbench.engine.linear_state import linear_state, linear_state_chunked, linear_state_eager
from ntmbench.errors import check_choice, check_range

#: Sizes of chunks that are tried, and how often each is.
CHUNKS = (16, 32, 64, 128)
TRIALS = 3
WIDTH = 120

Drawn = dict[str, Tensor | tuple[Tensor, Tensor] | int]
Form = Callable[..., tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Kind:
    """A transition of the family, named after a model that has it, if there is one."""

    name: str
    decay: str  # none, scalar or diagonal
    erase: bool
    every: int = 1  # steps of the recurrence for each output

    @property
    def operations(self) -> int:
        """Multiplications and additions for each number of a state, forward, for one output.

        Two for reading. For each step of the recurrence, two for writing, one for a decay, and four
        for seeing what is erased and taking it away.
        """
        return 2 + self.every * (2 + (self.decay != "none") + 4 * self.erase)


_KINDS = (
    Kind("linear_attention", "none", False),
    Kind("mamba2", "scalar", False),
    Kind("diagonal_decay", "diagonal", False),
    Kind("delta_net", "none", True),
    Kind("delta_product", "none", True, every=2),
    Kind("gated_delta_net", "scalar", True),
    Kind("rwkv7", "diagonal", True),
)
KINDS = {kind.name: kind for kind in _KINDS}


def draw(kind: Kind, steps: int, batch: int, heads: int, width: int) -> tuple[Drawn, list[Tensor]]:
    """Keyword arguments of the forms, and the tensors among them, which have gradients.

    There are ``steps`` outputs, and ``every`` times as many steps of the recurrence.
    """
    generator = torch.Generator().manual_seed(1)
    along = (steps * kind.every, batch, heads)

    def uniform(*sizes: int) -> Tensor:
        return torch.rand(*along, *sizes, generator=generator)

    unit = functional.normalize(uniform(width) - 0.5, dim=-1)  # [T every, B, H, width]
    drawn: Drawn = {
        "query": uniform(width)[:steps] - 0.5,
        "key": unit.clone(),
        "value": uniform(width) - 0.5,
        "every": kind.every,
    }
    if kind.decay != "none":
        drawn["decay"] = 0.9 + 0.1 * (uniform() if kind.decay == "scalar" else uniform(width))
    if kind.erase:
        drawn["erase"] = (unit.clone(), 0.8 * unit)
    leaves = [
        tensor.requires_grad_()
        for value in drawn.values()
        for tensor in (value if isinstance(value, tuple) else (value,))
        if isinstance(tensor, Tensor)
    ]
    return drawn, leaves


def quickest_chunk(drawn: Drawn, leaves: list[Tensor], steps: int) -> int:
    """The size of CHUNKS with which the chunked form is quickest, for ``steps`` of the recurrence.

    They are tried in their order, until one holds all steps, or takes twice as long as another.
    """
    seconds: dict[int, float] = {}
    for chunk in CHUNKS:
        take = functools.partial(step, chunked_by(chunk), drawn, leaves)
        take()  # the first call also allocates
        seconds[chunk] = median_seconds(take, TRIALS)
        if chunk >= steps or seconds[chunk] > 2 * min(seconds.values()):
            break
    return min(seconds, key=seconds.__getitem__)


def chunked_by(chunk: int) -> Form:
    """The chunked form with so many steps to a chunk."""
    return functools.partial(linear_state_chunked, chunk=chunk)


def step(form: Form, drawn: Drawn, leaves: list[Tensor]) -> None:
    """One pass forward and backward."""
    outputs, _ = form(**drawn)
    torch.autograd.grad(outputs, leaves, torch.ones_like(outputs))


def measure(
    kind: Kind, steps: int, batch: int, heads: int, width: int, seconds: float
) -> pd.DataFrame:
    """A row for each form; the floor is filled in later."""
    drawn, leaves = draw(kind, steps, batch, heads, width)
    chunk = quickest_chunk(drawn, leaves, steps * kind.every)
    forms: dict[str, Form] = {
        "fused": linear_state,
        f"chunked {chunk}": chunked_by(chunk),
        "eager": linear_state_eager,
    }
    taken = {name: functools.partial(step, form, drawn, leaves) for name, form in forms.items()}
    timings = time_in_turn(taken, seconds)
    states = steps * batch * heads * width**2
    return pd.DataFrame(
        {
            "kind": kind.name,
            "steps": steps,
            "batch": batch,
            "form": name,
            "ms": timing.seconds * 1e3,
            "ms_lowest": timing.lowest * 1e3,
            "over_fused": timing.seconds / timings["fused"].seconds,
            "operations": PASSES * kind.operations * states,
        }
        for name, timing in timings.items()
    )


@refusing("ntmbench.bench.linear_state")
def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all kinds and print the table."""
    parser = argparse.ArgumentParser("python -m ntmbench.bench.linear_state", description=__doc__)
    parser.add_argument(
        "--kinds", nargs="+", metavar="KIND", default=list(KINDS), help=f"of {', '.join(KINDS)}"
    )
    parser.add_argument("--steps", type=int, nargs="+", default=[41, 256])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--width", type=int, default=32, help="K and V of each head")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each line of cases")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args(arguments)
    for kind in asked.kinds:
        check_choice("--kinds", kind, list(KINDS))
    for name in ("steps", "batch"):
        for size in getattr(asked, name):
            check_range(f"--{name}", size, 1)
    for name in ("heads", "width", "threads"):
        check_range(f"--{name}", getattr(asked, name), 1)
    check_range("--seconds", asked.seconds, 0)
    torch.set_num_threads(asked.threads)
    parts, rate = [], matrix_product_rate()
    for kind, steps, batch in product(asked.kinds, asked.steps, asked.batch):
        parts.append(measure(KINDS[kind], steps, batch, asked.heads, asked.width, asked.seconds))
        rate = max(rate, matrix_product_rate())
    table = pd.concat(parts, ignore_index=True)
    floor = table["operations"] / rate * 1e3
    table = table.assign(
        floor_ms=floor, over_floor=table["ms"] / floor, lowest_over_floor=table["ms_lowest"] / floor
    )
    shown = {
        "kind": ("kind", "{}"),
        "steps": ("T", "{}"),
        "batch": ("batch", "{}"),
        "form": ("form", "{}"),
        "ms": ("ms", "{:.2f}"),
        "ms_lowest": ("lowest", "{:.2f}"),
        "over_fused": ("x fused", "{:.1f}"),
        "floor_ms": ("floor ms", "{:.3f}"),
        "over_floor": ("x floor", "{:.1f}"),
        "lowest_over_floor": ("lowest x floor", "{:.1f}"),
    }
    console = Console(width=WIDTH)
    console.print(plain_table(table, shown, rule_between=["kind", "steps", "batch"]))
    console.print(
        f"{asked.heads} heads, K = V = {asked.width}, {asked.threads} threads; "
        f"a matrix product reaches {rate / 1e9:.0f} GFLOP/s. The chunked form has the size of "
        f"chunks, of {', '.join(map(str, CHUNKS))} steps, that was quickest."
    )


if __name__ == "__main__":
    sys.exit(main())
