"""Growth of time and memory with the steps T and with the memory slots N, at batch 1."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from rich.table import Table

from ntmbench.bench.cases import ENGINES, Case, Contender
from ntmbench.bench.measure import Clock, time_in_turn
from ntmbench.bench.memory import MemoryProbe
from ntmbench.bench.table import plain_table
from ntmbench.engine.places import kept_interval
from ntmbench.ntm.settings import NTMSettings

#: Copy lengths, for T = 41 to 2001; and memory slots, at T = 41.
LENGTHS = (20, 50, 100, 200, 500, 1000)
SLOTS = (128, 256, 512, 1024, 2048, 4096, 8192, 16384)
#: An engine is not timed at a size where a step is expected to last longer.
LONGEST_STEP = 5.0
#: Linear growth is judged by the sizes from this share of the largest on. Below, what does not grow
#: (the start of a call, the controller) weighs too much.
UPPER_SHARE = 1 / 8

COLUMNS = [
    "grows",  # T or N
    "size",
    "steps",
    "slots",
    "model",
    "ms_per_sequence",
    "peak_memory_mb",  # measured, see ntmbench.bench.memory
    "formula_mb",  # the fused engine's kept_numbers and restored_numbers
]

FLOAT32_BYTES = 4


@dataclass(frozen=True)
class Slope:
    """Exponents of a power law fitted to time over size, for all sizes and for the largest."""

    everywhere: float
    upper: float


def kept_numbers(settings: NTMSettings, input_width: int, steps: int) -> int:
    """Numbers that the fused engine keeps for one sequence from forward to backward.

    There are T steps, N slots of M numbers, R read and W write heads, H = R + W and L layers of C
    units with G gates (4 in an LSTM). At every step the engine keeps what the controller sees, its
    gates and cells, what the heads ask for, and two weightings of each head, 2 H N. It keeps only
    every k-th memory, of M N numbers each, where k = ceil(sqrt(T)).
    """
    s = settings
    recurrent = s.controller == "lstm"
    units, words, heads = s.controller_size, s.word_size, s.heads
    own = units if recurrent else 0
    first = input_width + s.read_heads * words + own + 1
    later = (s.controller_layers - 1) * (units + own + 1)
    answer = s.read_heads * words + units + 1
    gates = s.controller_layers * (4 * units + units if recurrent else units)
    asked = heads * (s.compared + 3 + s.shift_width) + 2 * s.write_heads * words
    step = first + later + answer + gates + asked + 2 * heads * s.memory_slots
    memories = math.ceil((steps + 1) / kept_interval(steps))
    return steps * step + memories * words * s.memory_slots


def restored_numbers(settings: NTMSettings, steps: int) -> int:
    """Numbers of the memories that backward computes again at once, with the memory's gradient.

    They are k memories with the norms of their rows. Together with the kept ones, the memories of
    one sequence take about 2 sqrt(T) M N numbers, not T M N. In a batch, memories are kept for
    every sequence, and computed again for a block of at most 8 sequences in each thread.
    """
    s = settings
    again = kept_interval(steps) * (s.word_size + 1)
    return (again + s.word_size + s.heads) * s.memory_slots


def growing_cases() -> dict[str, dict[int, Case]]:
    """Cases by what grows ("T" or "N") and its size."""
    by_length = [Case(f"copy-{length}", "copy", length) for length in LENGTHS]
    return {
        "T": {case.steps: case for case in by_length},
        "N": {n: Case(f"{n} slots", "copy", 20, NTMSettings(memory_slots=n)) for n in SLOTS},
    }


def measure_growth(
    cases: dict[str, dict[int, Case]],
    probe: MemoryProbe,
    *,
    seconds: float,
    report: Callable[[str], None],
    clock: Clock = time.perf_counter,
) -> pd.DataFrame:
    """Time each engine at each size while it is affordable; rows with COLUMNS."""
    rows = []
    for grows, sizes in cases.items():
        last: dict[str, tuple[int, float]] = {}
        for size, case in sizes.items():
            report(f"growth, {grows} = {size}")
            affordable = [
                Contender(name)
                for name in ENGINES
                if name not in last or last[name][1] * size / last[name][0] <= LONGEST_STEP
            ]
            batch = case.batch(1)
            timings = time_in_turn(
                {c.name: c.step(case, batch) for c in affordable}, seconds, clock
            )
            for contender in affordable:
                taken = timings[contender.name].seconds
                last[contender.name] = size, taken
                memory = probe.peak_bytes(contender, case, 1) / 1e6
                slots = case.ntm.memory_slots
                numbers = kept_numbers(case.ntm, case.task.input_width, case.steps)
                numbers += restored_numbers(case.ntm, case.steps)
                kept = numbers * FLOAT32_BYTES / 1e6 if contender.name == "fused" else math.nan
                who = grows, size, case.steps, slots, contender.name
                rows.append(dict(zip(COLUMNS, (*who, taken * 1e3, memory, kept), strict=True)))
    return pd.DataFrame(rows, columns=COLUMNS)


def slopes(table: pd.DataFrame) -> dict[tuple[str, str], Slope]:
    """The slope of time over size on logarithmic axes, by what grows and by engine."""
    fitted = {}
    for (grows, name), part in table.groupby(["grows", "model"], sort=False):
        upper = part[part["size"] >= part["size"].max() * UPPER_SHARE]
        fitted[str(grows), str(name)] = Slope(_slope(part), _slope(upper))
    return fitted


def fitted_slope(sizes: pd.Series, times: pd.Series) -> float:
    """The exponent of a power law fitted to times over sizes; NaN for a single size."""
    if len(sizes) < 2:
        return float("nan")
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])


def _slope(part: pd.DataFrame) -> float:
    return fitted_slope(part["size"], part["ms_per_sequence"])


def drawn_growth(table: pd.DataFrame) -> Table:
    """The table for the console."""
    shown = {
        "grows": ("grows", "{}"),
        "model": ("model", "{}"),
        "steps": ("T", "{}"),
        "slots": ("N", "{}"),
        "ms_per_sequence": ("ms/sequence", "{:.2f}"),
        "peak_memory_mb": ("peak MB", "{:.2f}"),
        "formula_mb": ("formula MB", "{:.2f}"),
    }
    ordered = table.sort_values(["grows", "model", "size"], ascending=[False, False, True])
    return plain_table(ordered, shown, rule_between=["grows", "model"])
