"""`python -m ntmbench.bench.hours`: about how long a sweep will take, before it is begun.

Each kind of run is trained for a moment in the loop of a run itself, validated, and tested with a
part of the test sequences. What that takes is multiplied by the steps, validations and test
sequences of a run, and by the cells that differ in their seeds alone. Attempts count as if all were
needed, and finished runs as if they were to be run. A run's example, look inside and pictures,
which take a few seconds, are left out.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import torch
from hydra import compose
from rich.console import Console
from torch import nn

from ntmbench.bench.measure import Clock
from ntmbench.bench.table import plain_table
from ntmbench.commands.expansion import cells_of, parts_of_campaign, with_experiment
from ntmbench.commands.overrides import check_overrides
from ntmbench.composition.composing import composing, to_run_config
from ntmbench.errors import SettingError, UserError, check_range
from ntmbench.evaluation.grid import evaluate, evaluate_variations
from ntmbench.runs.check import check_possible
from ntmbench.runs.settings import RunConfig
from ntmbench.runs.threads import set_threads
from ntmbench.training.loop import train
from ntmbench.training.observer import CurvePoint, Observer

#: About so long a kind of run is trained, within these numbers of steps. Lengths are drawn at
#: random, so that fewer steps would say little of their mean.
SECONDS = 2.0
STEPS = (32, 256)
#: Steps before, in which kernels are compiled.
FIRST_STEPS = 4
#: The most test sequences of each length.
TESTED = 64

COLUMNS = [
    "task",
    "model",
    "settings",  # the other overrides, as far as they tell kinds apart
    "runs",  # cells that differ in their seeds alone
    "sequences",  # of training
    "ms_per_step",  # of training, with drawing the data
    "training_minutes",  # of a run
    "minutes_per_run",  # with validations and tests
    "hours",  # of all the runs
]


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


class _Stopwatch(Observer):
    """Notes when validations end, and the last step."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.validations: list[float] = []
        self.last_step = 0.0

    def stepped(self, sequences: int, loss_bits: Callable[[], float]) -> None:
        self.last_step = self._clock()

    def validated(self, curve: list[CurvePoint], *, selected: bool) -> None:
        self.validations.append(self._clock())


def estimate(config: RunConfig, clock: Clock = time.perf_counter) -> Estimate:
    """Time some steps, a validation and a part of the tests of a run, with the run's threads.

    Raises:
        UserError: if the run is refused.
    """
    before = torch.get_num_threads()
    set_threads(config.threads)
    try:
        return _estimate(config, clock)
    finally:
        torch.set_num_threads(before)


def _estimate(config: RunConfig, clock: Clock) -> Estimate:
    model, settings = check_possible(config), config.train
    of_first, _ = _train(model, config, FIRST_STEPS, clock)
    least, most = STEPS
    count = min(max(least, round(SECONDS / max(of_first, 1e-6))), most)
    step, validation = _train(model, config, count, clock)
    lengths, sequences = config.evaluation.lengths or None, config.evaluation.sequences
    tested = min(TESTED, sequences)
    begun = clock()
    evaluate(model, config.task, lengths=lengths, sequences=tested)
    evaluate_variations(model, config.task, sequences=tested)
    return Estimate(
        training=settings.steps * step,
        validation=(1 + -(-settings.steps // settings.validation_interval)) * validation,
        test=(clock() - begun) * sequences / tested,
    )


def _train(model: nn.Module, config: RunConfig, count: int, clock: Clock) -> tuple[float, float]:
    """Train so many steps; the seconds of one, and those of a validation after them."""
    stopwatch = _Stopwatch(clock)
    sequences = count * config.train.batch_size
    settings = replace(
        config.train, sequences=sequences, validate_every=sequences, attempts=1, patience=count
    )
    train(model, config.task, settings, seed=config.seed, device=config.device, observer=stopwatch)
    first, last = stopwatch.validations
    return (stopwatch.last_step - first) / count, last - stopwatch.last_step


def measure(
    arguments: Sequence[str], report: Callable[[str], None] = lambda _: None
) -> pd.DataFrame:
    """A row with COLUMNS for each kind of run in a sweep.

    Args:
        arguments: overrides as for ``python -m ntmbench -m``.
        report: is told each kind, by its overrides, before it is timed.

    Raises:
        UserError: for what a sweep would refuse, and for a sweeper that chooses cells as it goes.
    """
    kinds: dict[tuple[str, ...], list[list[str]]] = {}
    for part in parts_of_campaign(arguments, sweep=True) or [list(arguments)]:
        overrides = with_experiment(part, sweep=True)
        check_overrides(overrides, sweep=True)
        for cell in cells_of(overrides):
            kind = tuple(override for override in cell if not override.startswith("seed="))
            kinds.setdefault(kind, []).append(cell)
    if not kinds:
        raise SettingError(
            "hydra/sweeper chooses the cells as it goes, so that none is known before. "
            "Allowed: without hydra/sweeper."
        )
    alike = set.intersection(*map(set, kinds))
    rows = []
    for kind, cells in kinds.items():
        report(" ".join(kind))
        with composing():
            config = to_run_config(compose("config", overrides=cells[0]))
        found = estimate(config)
        named = ("task=", "model=")
        others = [o for o in kind if o not in alike and not o.startswith(named)]
        rows.append(
            {
                "task": config.task.name,
                "model": config.model,
                "settings": " ".join(others),
                "runs": len(cells),
                "sequences": config.train.sequences,
                "ms_per_step": 1e3 * found.training / config.train.steps,
                "training_minutes": found.training / 60,
                "minutes_per_run": found.seconds / 60,
                "hours": len(cells) * found.seconds / 3600,
            }
        )
    return pd.DataFrame(rows)[COLUMNS]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table of a sweep, and its hours in all."""
    parser = argparse.ArgumentParser(prog="python -m ntmbench.bench.hours", description=__doc__)
    parser.add_argument("overrides", nargs="+", help="as for python -m ntmbench -m")
    parser.add_argument("--workers", type=int, default=1, help="runs side by side (default 1)")
    given = parser.parse_args(arguments)
    console = Console()
    try:
        check_range("--workers", given.workers, 1)
        table = measure(given.overrides, _say)
    except UserError as error:
        _say(f"ntmbench: {error}")
        return 2
    except KeyboardInterrupt:
        _say("ntmbench: interrupted.")
        return 130
    _show(table, console)
    hours, told = table["hours"].sum(), f"{table['runs'].sum()} runs"
    side_by_side = f", {hours / given.workers:.1f} with {given.workers} workers"
    more = side_by_side if given.workers > 1 else ""
    console.print(f"{told}: {hours:.1f} hours one after the other{more}.", highlight=False)
    return 0


def _show(table: pd.DataFrame, console: Console) -> None:
    shown = {
        "task": ("task", "{}"),
        "model": ("model", "{}"),
        "settings": ("settings", "{}"),
        "runs": ("runs", "{}"),
        "sequences": ("sequences", "{:,}"),
        "ms_per_step": ("ms/step", "{:.2f}"),
        "minutes_per_run": ("min/run", "{:.1f}"),
        "hours": ("hours", "{:.2f}"),
    }
    if not table["settings"].any():
        del shown["settings"]
    between = ["task"] if table["model"].nunique() > 1 else ["model"]
    console.print(plain_table(table, shown, rule_between=between))


def _say(line: str) -> None:
    """Tell something apart from the table."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
