"""`python -m ntmbench.bench`: the speed of engines and models on this machine, beside the floor."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pandas as pd
import torch
from rich.console import Console

from ntmbench.bench.cases import CASES, Contender, contenders
from ntmbench.bench.contestants import contestants
from ntmbench.bench.first_call import measure_first_calls
from ntmbench.bench.floor import matrix_product_rate
from ntmbench.bench.growth import drawn_growth, growing_cases, measure_growth, slopes
from ntmbench.bench.machine import Machine
from ntmbench.bench.memory import MemoryProbe, memory_probe
from ntmbench.bench.models import CASE, drawn_models, measure_models
from ntmbench.bench.models_growth import (
    drawn_models_growth,
    growing_models,
    measure_models_growth,
)
from ntmbench.bench.options import Options
from ntmbench.bench.refusals import refusing
from ntmbench.bench.table import drawn, measure_case, with_floor
from ntmbench.bench.trainer import TrainerCost, measure_trainer
from ntmbench.data.files import write_bytes, write_text

#: The width of the tables, which a narrower terminal wraps.
WIDTH = 132


@refusing("ntmbench.bench")
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    run(Options.parsed(arguments), Console(width=max(WIDTH, Console().width)))


def run(options: Options, console: Console) -> None:
    """Measure, and print the tables and write the files as soon as each is measured.

    Raises:
        UserError: for a peer or a first call that cannot be run, or too little memory.
        OSError: if the files cannot be written.
    """
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    machine = Machine.here(options.threads, processor_time=options.processor)
    with memory_probe(options.threads) as probe:
        if options.cases:
            _run_cases(options, machine, probe, console)
        if options.models:
            _run_models(options, machine, probe, console)
    if options.cases and options.first_call:
        console.print(_first_calls(options.threads), highlight=False)
    console.print(str(options.out), highlight=False, soft_wrap=True)


def _run_cases(options: Options, machine: Machine, probe: MemoryProbe, console: Console) -> None:
    table, trainer = _measure_cases(options, probe)
    _show_machine(machine, table, options.out, console)
    console.print(drawn(table))
    if trainer is not None:
        console.print(f"Trainer (copy-20, batch 1, fused): {trainer}.", highlight=False)
    _write_csv(options.out / "bench.csv", table)
    if options.growth:
        seconds = options.seconds / 2
        growth = measure_growth(
            growing_cases(), probe, seconds=seconds, report=_report, clock=options.clock
        )
        _show_growth(growth, options.out, console)


def _run_models(options: Options, machine: Machine, probe: MemoryProbe, console: Console) -> None:
    seconds = options.seconds / 4
    rivals = contestants(options.models, CASE.task, options.peers)
    table = measure_models(
        rivals, options.model_batches, probe, seconds=seconds, report=_report, clock=options.clock
    )
    _show_machine(machine, table, options.out, console)
    console.print(drawn_models(table))
    _write_csv(options.out / "models.csv", table)
    if options.growth:
        ours = [rival for rival in rivals if rival.peer is None]
        growth = measure_models_growth(
            ours, growing_models(), seconds=seconds / 2, report=_report, clock=options.clock
        )
        console.print(drawn_models_growth(growth))
        _write_csv(options.out / "models_growth.csv", growth)


def _measure_cases(options: Options, probe: MemoryProbe) -> tuple[pd.DataFrame, TrainerCost | None]:
    """The table of all cases, and the trainer's cost if its case is among them."""
    rivals, clock = contenders(options.peers), options.clock
    tables = []
    rate = 0.0
    for name, size in product(options.cases, options.case_batches):
        _report(f"{name}, batch {size}")
        # The floor is the best that the machine can do.
        rate = max(rate, matrix_product_rate(clock=clock))
        tables.append(
            measure_case(
                CASES[name], size, rivals, seconds=options.seconds, probe=probe, clock=clock
            )
        )
    table = with_floor(pd.concat(tables, ignore_index=True), rate)
    row = (table["case"] == "copy-20") & (table["batch"] == 1) & (table["model"] == "fused")
    if not row.any():
        return table, None
    _report("trainer")
    trainer = measure_trainer(CASES["copy-20"], Contender("fused"))
    table.loc[row, "trainer_share"] = trainer.share
    return table, trainer


def _show_machine(machine: Machine, table: pd.DataFrame, out: Path, console: Console) -> None:
    """Print and write the machine, with the rate that a table's floors were found by."""
    rate = table["gflop_per_second"].iloc[0]
    machine = dataclasses.replace(machine, gflop_per_second=rate)
    console.print(str(machine), highlight=False)
    write_text(out / "machine.json", json.dumps(dataclasses.asdict(machine), indent=2) + "\n")


def _show_growth(table: pd.DataFrame, out: Path, console: Console) -> None:
    # Drawing takes a second to import, so only when it is needed.
    from ntmbench.bench.growth_plot import growth_png

    fitted = slopes(table)
    console.print(drawn_growth(table))
    for (grows, engine), slope in fitted.items():
        console.print(
            f"time per sequence, {engine}: {grows}^{slope.everywhere:.2f} over all sizes, "
            f"{grows}^{slope.upper:.2f} over the largest",
            highlight=False,
        )
    _write_csv(out / "growth.csv", table)
    picture = growth_png(table, fitted)
    write_bytes(out / "growth.png", picture)


def _first_calls(threads: int) -> str:
    _report("first call")
    empty, filled = measure_first_calls(threads)
    return (
        f"First training step of a process: {empty.model:.1f} s with nothing compiled yet (the "
        f"optimizer's {empty.optimizer:.1f} s), {filled.model:.2f} s with a filled cache (the "
        f"optimizer's {filled.optimizer:.2f} s)."
    )


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    write_text(path, table.to_csv(index=False, float_format="%.6g"))


def _report(what: str) -> None:
    """Tell the progress, apart from the output."""
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
