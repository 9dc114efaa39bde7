"""The table of models: a row for each registered model, or peer of one, and batch size."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

import pandas as pd
from rich.table import Table
from torch import nn

from ntmbench.bench.cases import Case
from ntmbench.bench.contestants import Contestant
from ntmbench.bench.floor import matrix_product_rate
from ntmbench.bench.measure import Clock, time_in_turn
from ntmbench.bench.memory import MemoryProbe
from ntmbench.bench.table import plain_table, with_floor
from ntmbench.model import SequenceModel

#: The case of all models.
CASE = Case("copy-20", "copy", 20)
OURS = "ntmbench"

COLUMNS = [
    "batch",
    "steps",  # T
    "model",
    "code",  # whose it is: ours or a peer's
    "width",  # the setting through which the number of parameters is met
    "parameters",
    "state_floats",  # numbers carried from step to step at T, by the model's own account
    "ms_per_step",  # of training, forward and backward: median over rounds
    "sequences_per_second",
    "over_ours",  # time over that of our model
    "floor_ms",  # see ntmbench.bench.operations
    "over_floor",
    "peak_memory_mb",  # see ntmbench.bench.memory
    "ms_lowest",
    "ms_highest",
    "rounds",
    "mflop",  # for forward and backward of the whole batch
    "gflop_per_second",  # the best rate of a matrix product that was measured between the batches
]


def measure_models(
    rivals: Sequence[Contestant],
    batches: Sequence[int],
    probe: MemoryProbe,
    *,
    seconds: float,
    report: Callable[[str], None],
    clock: Clock = time.perf_counter,
) -> pd.DataFrame:
    """Time all at each batch size, in turn, for about ``seconds`` each; rows with COLUMNS."""
    tables, rate = [], 0.0
    for size in batches:
        report(f"models, batch {size}")
        # The floor is the best that the machine can do.
        rate = max(rate, matrix_product_rate(clock=clock))
        tables.append(_measure_batch(rivals, size, probe, seconds, clock))
    rate = max(rate, matrix_product_rate(clock=clock))
    return with_floor(pd.concat(tables, ignore_index=True), rate)[COLUMNS]


def _measure_batch(
    rivals: Sequence[Contestant], size: int, probe: MemoryProbe, seconds: float, clock: Clock
) -> pd.DataFrame:
    batch = CASE.batch(size)
    operations = {r.model: r.operations(CASE, size) for r in rivals if r.peer is None}
    steps = {rival.name: rival.step(CASE, batch) for rival in rivals}
    timings = time_in_turn(steps, seconds * len(rivals), clock)
    rows = []
    for rival in rivals:
        timing = timings[rival.name]
        module = rival.made(CASE.task, CASE.steps)
        counted = operations[rival.model] / 1e6 if rival.peer is None else math.nan
        rows.append(
            {
                "batch": size,
                "steps": CASE.steps,
                "model": rival.model,
                "code": OURS if rival.peer is None else rival.peer.name,
                "width": rival.width,
                "parameters": sum(weight.numel() for weight in module.parameters()),
                "state_floats": _state_floats(module, CASE.steps),
                "ms_per_step": timing.seconds * 1e3,
                "sequences_per_second": size / timing.seconds,
                "over_ours": timing.seconds / timings[rival.model].seconds,
                "peak_memory_mb": probe.peak_bytes(rival, CASE, size) / 1e6,
                "ms_lowest": timing.lowest * 1e3,
                "ms_highest": timing.highest * 1e3,
                "rounds": timing.rounds,
                "mflop": counted,
            }
        )
    return pd.DataFrame(rows)


def _state_floats(module: nn.Module, steps: int) -> float:
    floats = module.state_floats(steps) if isinstance(module, SequenceModel) else None
    return math.nan if floats is None else floats


def drawn_models(table: pd.DataFrame) -> Table:
    """The table for the console, with a rule between batch sizes."""
    shown = {
        "batch": ("batch", "{}"),
        "model": ("model", "{}"),
        "code": ("code", "{}"),
        "parameters": ("parameters", "{:,}"),
        "state_floats": ("state floats", "{:,.0f}"),
        "ms_per_step": ("ms/step", "{:.2f}"),
        "sequences_per_second": ("seq/s", "{:,.0f}"),
        "over_ours": ("x ours", "{:.1f}"),
        "floor_ms": ("floor ms", "{:.3f}"),
        "over_floor": ("x floor", "{:.1f}"),
        "peak_memory_mb": ("peak MB", "{:.1f}"),
    }
    return plain_table(table, shown, rule_between=["batch"])
