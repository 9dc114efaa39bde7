"""`python -m ntmbench.bench.hours`: about how long a sweep will take, before it is begun.

For each task and model it trains a few steps, validates, and tests a part of the sequences, in the
loop of a run itself. What it finds is multiplied: steps, validations and test sequences of a run,
and the cells of the sweep that differ in their seeds alone. Attempts count as if all were needed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pandas as pd
from hydra import compose
from rich.console import Console

from ntmbench.bench.table import plain_table
from ntmbench.commands.expansion import cells_of, parts_of_campaign, with_experiment
from ntmbench.commands.overrides import check_overrides
from ntmbench.composition.composing import composing, to_run_config
from ntmbench.errors import SettingError, UserError
from ntmbench.evaluation.grid import evaluate
from ntmbench.runs.check import check_possible
from ntmbench.runs.settings import RunConfig
from ntmbench.training.loop import train
from ntmbench.training.observer import CurvePoint, Observer

#: Steps that are timed, after as many that are not; and the most test sequences of each length.
STEPS = 4
TESTED = 64


@dataclass(frozen=True)
class Estimate:
    """Seconds of a run, by what takes them."""

    training: float
    validation: float
    test: float

    @property
    def seconds(self) -> float:
        """All of them."""
        return self.training + self.validation + self.test


class _Clock(Observer):
    """Notes when steps and validations end."""

    def __init__(self) -> None:
        self.steps: list[float] = []
        self.validations: list[float] = []

    def stepped(self, sequences: int, loss_bits: Callable[[], float]) -> None:
        self.steps.append(time.perf_counter())

    def validated(self, curve: list[CurvePoint], *, selected: bool) -> None:
        self.validations.append(time.perf_counter())


def estimate(config: RunConfig) -> Estimate:
    """Time a few steps, a validation and a part of the tests of a run.

    Raises:
        UserError: if the run is refused.
    """
    model, settings, clock = check_possible(config), config.train, _Clock()
    count = 2 * STEPS * settings.batch_size
    short = replace(settings, sequences=count, validate_every=count, attempts=1)
    train(model, config.task, short, seed=config.seed, device=config.device, observer=clock)
    step = (clock.steps[-1] - clock.steps[STEPS - 1]) / STEPS
    validation = clock.validations[-1] - clock.steps[-1]
    lengths, sequences = config.evaluation.lengths or None, config.evaluation.sequences
    begun = time.perf_counter()
    evaluate(model, config.task, lengths=lengths, sequences=min(TESTED, sequences))
    share = min(TESTED, sequences) / sequences
    return Estimate(
        training=settings.steps * step,
        validation=(1 + -(-settings.sequences // settings.validate_every)) * validation,
        test=(time.perf_counter() - begun) / share,
    )


def measure(
    arguments: Sequence[str], report: Callable[[str], None] = lambda _: None
) -> pd.DataFrame:
    """A row for each kind of cell of a sweep; cells that differ in their seeds are of one kind.

    Args:
        arguments: overrides as for ``python -m ntmbench -m``.
        report: is told the name of each kind before it is timed.

    Raises:
        UserError: for what a sweep would refuse.
    """
    kinds: dict[tuple[str, ...], list[str]] = {}
    runs: dict[tuple[str, ...], int] = {}
    for part in parts_of_campaign(arguments, sweep=True) or [list(arguments)]:
        overrides = with_experiment(part, sweep=True)
        check_overrides(overrides, sweep=True)
        for cell in cells_of(overrides):
            kind = tuple(override for override in cell if not override.startswith("seed="))
            kinds.setdefault(kind, cell)
            runs[kind] = runs.get(kind, 0) + 1
    rows = []
    for kind, cell in kinds.items():
        report(" ".join(kind))
        with composing():
            config = to_run_config(compose("config", overrides=list(cell)))
        found = estimate(config)
        rows.append(
            {
                "task": config.task.name,
                "model": config.model,
                "settings": " ".join(o for o in kind if not o.startswith(("task=", "model="))),
                "runs": runs[kind],
                "sequences": config.train.sequences,
                "ms_per_step": 1e3 * found.training / config.train.steps,
                "training_minutes": found.training / 60,
                "minutes_per_run": found.seconds / 60,
                "hours": runs[kind] * found.seconds / 3600,
            }
        )
    return pd.DataFrame(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table of a sweep, and its hours in all."""
    parser = argparse.ArgumentParser(prog="python -m ntmbench.bench.hours", description=__doc__)
    parser.add_argument("overrides", nargs="+", help="as for python -m ntmbench -m")
    parser.add_argument("--workers", type=int, default=1, help="runs side by side, one thread each")
    given = parser.parse_args(arguments)
    console = Console()
    try:
        if given.workers < 1:
            raise SettingError(f"--workers={given.workers} is out of range. Allowed: 1 or more.")
        table = measure(given.overrides, lambda kind: console.print(kind, style="dim"))
    except UserError as error:
        print(f"ntmbench: {error}", file=sys.stderr)
        return 2
    shown = {
        "task": ("task", "{}"),
        "model": ("model", "{}"),
        "runs": ("runs", "{}"),
        "sequences": ("sequences", "{:,}"),
        "ms_per_step": ("ms/step", "{:.2f}"),
        "minutes_per_run": ("min/run", "{:.1f}"),
        "hours": ("hours", "{:.2f}"),
    }
    between = ["task"] if table["model"].nunique() > 1 else ["model"]
    console.print(plain_table(table, shown, rule_between=between))
    hours = table["hours"].sum()
    together = f"{hours / given.workers:.1f} hours" if given.workers > 1 else ""
    told = f"{table['runs'].sum()} runs, {hours:.1f} hours of one core"
    console.print(f"{told}, {together} with {given.workers}." if together else f"{told}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
