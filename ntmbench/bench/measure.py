"""Timing of several contenders in turn, so that other work on the machine hits them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

#: Tells the time of a step, in seconds.
Clock = Callable[[], float]
#: A block of steps lasts about this long; a slower step is a block by itself.
BLOCK_SECONDS = 0.15
#: The least number of rounds, unless a single step takes longer than SLOW_SECONDS.
MIN_ROUNDS = 3
MAX_ROUNDS = 25
#: A contender whose step takes longer is timed in the first round only.
SLOW_SECONDS = 6.0


@dataclass(frozen=True)
class Timing:
    """Seconds of one step: each block gives a median, and the rounds its median and extremes."""

    seconds: float
    lowest: float
    highest: float
    rounds: int


def time_in_turn(
    steps: Mapping[str, Callable[[], None]],
    seconds: float,
    clock: Clock = time.perf_counter,
) -> dict[str, Timing]:
    """Time each of ``steps``, with a block of each in every round, for about ``seconds`` in all.

    Each is called twice before, so that the figures exclude compilation and first allocations.
    ``clock`` tells the time of a step: ``time.process_time`` leaves out what others take.
    """
    counts, alone = {}, {}
    for name, step in steps.items():
        step()
        alone[name] = median_seconds(step, 1, clock)
        counts[name] = max(1, round(BLOCK_SECONDS / alone[name]))
    rounds: dict[str, list[float]] = {name: [] for name in steps}
    started = time.perf_counter()
    for number in range(MAX_ROUNDS):
        if number >= MIN_ROUNDS and time.perf_counter() - started >= seconds:
            break
        for name, step in steps.items():
            if number == 0 or alone[name] <= SLOW_SECONDS:
                rounds[name].append(median_seconds(step, counts[name], clock))
    return {
        name: Timing(statistics.median(taken), min(taken), max(taken), len(taken))
        for name, taken in rounds.items()
    }


def median_seconds(step: Callable[[], None], count: int, clock: Clock = time.perf_counter) -> float:
    """Median seconds of ``count`` calls, so that interruptions of a few do not count."""
    taken = []
    for _ in range(count):
        started = clock()
        step()
        taken.append(clock() - started)
    return statistics.median(taken)
