"""SIGKILL at random moments of small runs of every model, which then end with the same bits.

A process kills itself at a call of a Python function that is drawn at random: in the whole run, in
a checkpoint's write, in the test or in the drawing. So the same seed gives the same kills. A run is
killed again and again until a process gets to its end.
"""

from __future__ import annotations

import functools
import json
import os
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from ntmbench.commands import application
from ntmbench.runs import pictures, runner
from ntmbench.runs.results import load_results
from ntmbench.training import checkpointing
from tests.faults.campaign import Campaign, Counted, Fault
from tests.faults.small_runs import differing, numbers, only_run, shown, small_runs
from tests.forks import forked, start_server

#: Where a process may be killed: the module and the name of the function that is at work then.
PLACES: dict[str, tuple[Any, str]] = {
    "anywhere": (application, "run"),
    "inside a checkpoint write": (checkpointing, "save_checkpoint"),
    "in an evaluation": (runner, "evaluate_in_detail"),
    "in a plot": (pictures, "plot_run"),
}
#: How likely each place is.
WEIGHTS = (5, 2, 2, 1)
COUNTED = "calls.txt"


@dataclass(frozen=True)
class Moment:
    """A place and the number of a call there."""

    place: str
    call: int

    def __str__(self) -> str:
        """As it is told."""
        return f"{self.place}, call {self.call}"


class Calls:
    """Counts the calls while a function is at work."""

    def __init__(self, at: int | None = None) -> None:
        """Kill this process ``at`` a call."""
        self.seen = 0
        self._at = at

    def counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, within which calls are counted, also by whoever counted them before."""

        def wrapped(*arguments: Any, **named: Any) -> Any:
            before = sys.getprofile()

            def count(frame: FrameType, event: Any, argument: Any) -> None:
                self.seen += 1
                if self.seen == self._at:
                    os.kill(os.getpid(), signal.SIGKILL)
                if before is not None:
                    before(frame, event, argument)

            sys.setprofile(count)
            try:
                return function(*arguments, **named)
            finally:
                sys.setprofile(before)

        return wrapped


def kill_at(moment: Moment) -> None:
    """Make this process kill itself."""
    torch.set_num_threads(1)
    module, name = PLACES[moment.place]
    setattr(module, name, Calls(moment.call).counted(getattr(module, name)))


def count() -> None:
    """Make this process write how many calls there are in each place."""
    torch.set_num_threads(1)
    calls = {place: Calls() for place in PLACES}
    for place, (module, name) in PLACES.items():
        setattr(module, name, calls[place].counted(getattr(module, name)))
    module, name = PLACES["anywhere"]
    run = getattr(module, name)

    def counted(*arguments: Any) -> Any:
        outcome = run(*arguments)
        seen = {place: counting.seen for place, counting in calls.items()}
        Path(COUNTED).write_text(json.dumps(seen))
        return outcome

    setattr(module, name, counted)


def campaign(number: int, seed: int) -> Counted:
    """Kill processes so many times, of every model in turn, and let each run end."""
    start_server()
    runs = list(small_runs().items())
    number_of_models = min(number, len(runs))
    where: Counter[str] = Counter()
    faults: list[Fault] = []
    same = 0
    for place, (model, arguments) in enumerate(runs[:number_of_models]):
        share = number // number_of_models + (place < number % number_of_models)
        draw = random.Random(f"{seed}-{model}")
        with tempfile.TemporaryDirectory() as folder:
            killed, wrong = _killed(Path(folder), arguments, share, draw)
        where.update(moment.place for moment in killed)
        same += 0 if wrong else len(killed)
        if wrong:
            told = "; ".join(map(str, killed))
            faults.append(Fault(f"{shown(arguments)}, seed {seed}, killed {told}", wrong))
    told = ", ".join(f"{where[name]} {name}" for name in list(PLACES)[1:])
    line = (
        f"{where.total()} kills of small runs of {number_of_models} models: {same} ended with "
        f"the same bits ({told})."
    )
    return Counted(line, faults)


def _killed(
    folder: Path, arguments: tuple[str, ...], number: int, draw: random.Random
) -> tuple[list[Moment], str]:
    """Kill a model's runs so many times; the moments, and what is wrong."""
    whole = forked((*arguments, "results_dir=whole"), folder, count)
    if whole.code != 0:
        return [], str(whole)
    calls = json.loads((folder / COUNTED).read_text())
    expected = numbers(only_run(folder / "whole"))
    killed: list[Moment] = []
    runs = 0
    while len(killed) < number:
        mine = (*arguments, f"results_dir=run{runs}")
        results = folder / f"run{runs}"
        while len(killed) < number:
            (place,) = draw.choices(list(PLACES), WEIGHTS)
            moment = Moment(place, draw.randint(1, calls[place]))
            ended = forked(mine, folder, functools.partial(kill_at, moment))
            if ended.code == 0:  # there were fewer calls, since others were made before a kill
                break
            killed.append(moment)
            if ended.code != -signal.SIGKILL:
                return killed, str(ended)
            if results.exists() and (told := _wrong(results)):
                return killed, told
        else:
            ended = forked(mine, folder, functools.partial(torch.set_num_threads, 1))
            if ended.code != 0:
                return killed, f"it cannot go on: {ended}"
        if different := differing(numbers(only_run(results)), expected):
            return killed, f"not the same: {different}"
        runs += 1
    return killed, ""


def _wrong(results: Path) -> str:
    """What a killed run's folder should not be."""
    unreadable = load_results(results).unreadable
    reasons = [reason for reason in unreadable.values() if reason != "no status.json"]
    return f"unreadable: {reasons}" if reasons else ""


CAMPAIGN = Campaign(campaign, short=0, slow=8, whole=200)
