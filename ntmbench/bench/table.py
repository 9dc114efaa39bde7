"""The benchmark's table: a row for each case, batch size and contender."""

from __future__ import annotations

import time

import pandas as pd
from rich.table import Table

from ntmbench.bench.cases import ENGINES, Case, Contender
from ntmbench.bench.floor import training_operations
from ntmbench.bench.measure import Clock, time_in_turn
from ntmbench.bench.memory import MemoryProbe

COLUMNS = [
    "case",
    "batch",
    "steps",  # T
    "model",  # an engine of the NTM, a baseline, or the peer
    "ms_per_step",  # median over rounds
    "ms_per_sequence",
    "sequences_per_second",
    "peak_memory_mb",  # see ntmbench.bench.memory
    "over_fused",  # time over that of the fused engine
    "floor_ms",  # see ntmbench.bench.floor; for the NTM's equations only
    "over_floor",
    "ms_lowest",
    "ms_highest",
    "rounds",
    "mflop",  # for forward and backward of the whole batch
    "gflop_per_second",  # the best rate of a matrix product that was measured between the cases
    "trainer_share",  # of the real loop's step, outside forward and backward; see trainer.py
]


def measure_case(
    case: Case,
    batch_size: int,
    contenders: list[Contender],
    *,
    seconds: float,
    probe: MemoryProbe,
    clock: Clock = time.perf_counter,
) -> pd.DataFrame:
    """Time a case at one batch size with all contenders in turn; COLUMNS without the floor."""
    batch = case.batch(batch_size)
    timings = time_in_turn({c.name: c.step(case, batch) for c in contenders}, seconds, clock)
    memory = {c.name: probe.peak_bytes(c, case, batch_size) for c in contenders}
    widths = case.task.input_width, case.task.output_width
    operations = batch_size * training_operations(case.ntm, *widths, case.steps)
    rows = [
        {
            "case": case.name,
            "batch": batch_size,
            "steps": case.steps,
            "model": name,
            "ms_per_step": timing.seconds * 1e3,
            "ms_per_sequence": timing.seconds * 1e3 / batch_size,
            "sequences_per_second": batch_size / timing.seconds,
            "peak_memory_mb": memory[name] / 1e6,
            "over_fused": timing.seconds / timings["fused"].seconds,
            "ms_lowest": timing.lowest * 1e3,
            "ms_highest": timing.highest * 1e3,
            "rounds": timing.rounds,
            "mflop": operations / 1e6 if name in ENGINES else float("nan"),
        }
        for name, timing in timings.items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def with_floor(table: pd.DataFrame, rate: float) -> pd.DataFrame:
    """Fill the floor's columns, for a matrix-product rate in operations per second."""
    floor = table["mflop"] / (rate / 1e9)  # 1e6 operations over 1e9 a second: milliseconds
    return table.assign(
        floor_ms=floor, over_floor=table["ms_per_step"] / floor, gflop_per_second=rate / 1e9
    )


def drawn(table: pd.DataFrame) -> Table:
    """The table for the console, with a rule between cases."""
    shown = {
        "case": ("case", "{}"),
        "batch": ("batch", "{}"),
        "steps": ("T", "{}"),
        "model": ("model", "{}"),
        "ms_per_step": ("ms/step", "{:.2f}"),
        "ms_per_sequence": ("ms/sequence", "{:.3f}"),
        "sequences_per_second": ("sequences/s", "{:,.0f}"),
        "peak_memory_mb": ("peak MB", "{:.1f}"),
        "over_fused": ("x fused", "{:.2f}"),
        "floor_ms": ("floor ms", "{:.3f}"),
        "over_floor": ("x floor", "{:.1f}"),
        "rounds": ("rounds", "{}"),
    }
    return plain_table(table, shown, rule_between=["case", "batch"])


def plain_table(
    table: pd.DataFrame, shown: dict[str, tuple[str, str]], *, rule_between: list[str]
) -> Table:
    """Draw the columns of ``shown``, each with its heading and its format; NaN is a dash."""
    grid = Table(header_style="bold", pad_edge=False)
    for column, (heading, _) in shown.items():
        text = pd.api.types.is_string_dtype(table[column])
        grid.add_column(heading, justify="left" if text else "right", no_wrap=True)
    for _, part in table.groupby(rule_between, sort=False):
        rows = part.to_dict("records")
        for number, row in enumerate(rows):
            cells = [
                "-" if pd.isna(row[column]) else form.format(row[column])
                for column, (_, form) in shown.items()
            ]
            grid.add_row(*cells, end_section=number == len(rows) - 1)
    return grid
