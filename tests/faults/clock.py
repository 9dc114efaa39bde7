"""The clocks of a machine jump, by seconds or by years, while a run is at work.

It ends with the same numbers, and what is told of times is finite. Only ``time.time`` can jump on a
machine. Nothing may hang or change its numbers even where ``time.monotonic`` jumps as well.
"""

from __future__ import annotations

import itertools
import math
import random
import shutil
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

from ntmbench.commands.watch import View
from tests.faults.campaign import Campaign, Counted, Fault
from tests.faults.small_runs import (
    differing,
    empty_folder,
    ntmbench,
    numbers,
    only_run,
    shown,
    small_run,
)

ARGUMENTS = (*small_run("lstm"), "checkpoint_share=0.5")
YEAR = 365.25 * 86400
JUMPS = (-30 * YEAR, -YEAR, -3600.0, -5.0, 5.0, 3600.0, YEAR, 30 * YEAR)
#: A clock is looked at about so often before it jumps again.
LOOKS = 10
#: Seconds after which a run is taken to hang.
SECONDS = 60


class Jumping:
    """A clock that jumps at times."""

    def __init__(self, clock: object, draw: random.Random) -> None:
        self._clock, self._draw = clock, draw
        self._off, self.jumps = 0.0, 0

    def __call__(self) -> float:
        if self._draw.random() < 1 / LOOKS:
            self._off, self.jumps = self._draw.choice(JUMPS), self.jumps + 1
        now: float = self._clock() + self._off  # type: ignore[operator]
        return now


def campaign(number: int, seed: int) -> Counted:
    """Let the clocks jump in so many runs."""
    told: Counter[str] = Counter()
    faults: list[Fault] = []
    jumps = 0
    with empty_folder() as folder:
        results = folder / "results"
        ntmbench(*ARGUMENTS)
        whole = numbers(only_run(results))
        for trial in range(number):
            shutil.rmtree(results)
            clocks = ["time", "monotonic"] if trial % 2 else ["time"]
            draw = random.Random(f"{seed}-{trial}")
            jumping = {name: Jumping(getattr(time, name), draw) for name in clocks}
            wrong = _jumped(results, jumping, whole)
            jumps += sum(clock.jumps for clock in jumping.values())
            told["went wrong" if wrong else "ended with the same bits"] += 1
            if wrong:
                repeat = f"{shown(ARGUMENTS)}, {' and '.join(clocks)} jump, seed {seed}-{trial}"
                faults.append(Fault(repeat, wrong))
    counts = ", ".join(f"{count} {how}" for how, count in sorted(told.items()))
    return Counted(f"{number} runs whose clocks jumped {jumps} times: {counts}.", faults)


def _jumped(results: Path, jumping: dict[str, Jumping], whole: dict[str, object]) -> str:
    """Run while clocks jump, and look on; what is wrong."""
    started = time.perf_counter()
    with ExitStack() as stack:
        for name, clock in jumping.items():
            stack.enter_context(mock.patch.object(time, name, clock))
        ended = ntmbench(*ARGUMENTS)
        if ended.code != 0:
            return str(ended)
        list(itertools.chain(View(results).look(None)))
    if time.perf_counter() - started > SECONDS:
        return f"it took {time.perf_counter() - started:.0f} s"
    folder = only_run(results)
    if different := differing(numbers(folder), whole):
        return f"not the same: {different}"
    status = folder.read_status()
    times = [status["wall_seconds"], status["train_seconds"]]
    if not all(math.isfinite(seconds) for seconds in times):
        return f"times that are none: {times}"
    if "monotonic" not in jumping and min(times) < 0:
        return f"negative times: {times}"
    return ""


CAMPAIGN = Campaign(campaign, short=1, slow=10, whole=100)
