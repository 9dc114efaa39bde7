"""`python -m ntmbench.bench`: the speed of the engines on this machine, beside the floor."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pandas as pd
import torch
from rich.console import Console

from ntmbench.bench import peer
from ntmbench.bench.cases import CASES, Contender, contenders
from ntmbench.bench.first_call import measure_first_calls
from ntmbench.bench.floor import matrix_product_rate
from ntmbench.bench.growth import drawn_growth, growing_cases, measure_growth, slopes
from ntmbench.bench.machine import Machine, cores
from ntmbench.bench.memory import MemoryProbe, memory_probe
from ntmbench.bench.table import drawn, measure_case, with_floor
from ntmbench.bench.trainer import TrainerCost, measure_trainer
from ntmbench.data.files import write_bytes, write_text
from ntmbench.errors import UserError, check_choice, check_range

REFUSED = 2
INTERRUPTED = 130

#: The width of the tables, which a narrower terminal wraps.
WIDTH = 132


@dataclasses.dataclass(frozen=True)
class Options:
    """The command line, checked."""

    cases: list[str]
    batches: list[int]
    threads: int
    seconds: float
    out: Path
    growth: bool
    first_call: bool
    checkout: Path | None

    def __post_init__(self) -> None:
        """Check names and ranges."""
        for name in self.cases:
            check_choice("--cases", name, list(CASES))
        for size in self.batches:
            check_range("--batches", size, 1)
        check_range("--threads", self.threads, 1, cores())
        check_range("--seconds", self.seconds, 0)
        if self.checkout is not None:
            peer.check_checkout(self.checkout)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; the exit code is 2 for what the user can mend."""
    parsed = _parser().parse_args(arguments)
    try:
        run(Options(**vars(parsed)), Console(width=max(WIDTH, Console().width)))
    except UserError as error:
        print(f"ntmbench.bench: {error}", file=sys.stderr)
        return REFUSED
    except OSError as error:
        print(f"ntmbench.bench: {error.filename}: {error.strerror}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print(
            "ntmbench.bench: interrupted; what was not finished was not written.", file=sys.stderr
        )
        return INTERRUPTED
    return 0


def run(options: Options, console: Console) -> None:
    """Measure, and print the tables and write the files as soon as each is measured.

    Raises:
        UserError: for a peer or a first call that cannot be run, or too little memory.
        OSError: if the files cannot be written.
    """
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    machine = Machine.here(options.threads)
    with memory_probe(options.threads) as probe:
        table, trainer = _measure_cases(options, probe)
        rate = table["gflop_per_second"].iloc[0]
        _show_cases(
            table,
            trainer,
            dataclasses.replace(machine, gflop_per_second=rate),
            options.out,
            console,
        )
        if options.growth:
            seconds = options.seconds / 2
            growth = measure_growth(growing_cases(), probe, seconds=seconds, report=_report)
            _show_growth(growth, options.out, console)
    if options.first_call:
        console.print(_first_calls(options.threads), highlight=False)
    console.print(str(options.out), highlight=False, soft_wrap=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ntmbench.bench",
        description="Time training steps (forward and backward) of the NTM's two engines and of "
        "the baselines, side by side, and compare them with the floor: the operations of a step "
        "over the rate of a matrix product on this machine.",
    )
    add = parser.add_argument
    add(
        "--cases",
        nargs="+",
        default=list(CASES),
        metavar="CASE",
        help=f"of {', '.join(CASES)} (default: all)",
    )
    add(
        "--batches",
        nargs="+",
        type=int,
        default=[1, 16, 64],
        metavar="B",
        help="sequences of a step (default: 1 16 64)",
    )
    add("--threads", type=int, default=cores(), help="CPU threads (default: %(default)s, all)")
    add(
        "--seconds",
        type=float,
        default=4.0,
        help="time for each case and batch size; slow ones take more (default: %(default)s)",
    )
    add(
        "--out",
        type=Path,
        default=Path("results/bench"),
        help="folder for CSV and pictures (default: %(default)s)",
    )
    add("--growth", action="store_true", help="growth with T and N too, with a picture")
    add(
        "--no-first-call",
        dest="first_call",
        action="store_false",
        help="leave out the compilation from nothing",
    )
    add(
        "--peer",
        dest="checkout",
        type=Path,
        metavar="PATH",
        help="a checkout of github.com/loudinthecloud/pytorch-ntm, to time it too",
    )
    return parser


def _measure_cases(options: Options, probe: MemoryProbe) -> tuple[pd.DataFrame, TrainerCost | None]:
    """The table of all cases, and the trainer's cost if its case is among them."""
    rivals = contenders(options.checkout)
    tables = []
    rate = 0.0
    for name, size in product(options.cases, options.batches):
        _report(f"{name}, batch {size}")
        rate = max(rate, matrix_product_rate())  # the floor is the best that the machine can do
        tables.append(measure_case(CASES[name], size, rivals, seconds=options.seconds, probe=probe))
    table = with_floor(pd.concat(tables, ignore_index=True), rate)
    row = (table["case"] == "copy-20") & (table["batch"] == 1) & (table["model"] == "fused")
    if not row.any():
        return table, None
    _report("trainer")
    trainer = measure_trainer(CASES["copy-20"], Contender("fused"))
    table.loc[row, "trainer_share"] = trainer.share
    return table, trainer


def _show_cases(
    table: pd.DataFrame, trainer: TrainerCost | None, machine: Machine, out: Path, console: Console
) -> None:
    console.print(str(machine), highlight=False)
    console.print(drawn(table))
    if trainer is not None:
        console.print(f"Trainer (copy-20, batch 1, fused): {trainer}.", highlight=False)
    _write_csv(out / "bench.csv", table)
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
