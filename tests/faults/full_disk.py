"""The disk is full from some write on, and later it is not.

The command says so in a line and fails, unless only its log was concerned. Nothing that was whole
is lost, and the same command then ends with the same numbers.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
from collections import Counter
from pathlib import Path

from ntmbench.runs.results import load_results
from ntmbench.training.checkpoint import load_checkpoint
from tests.faults.campaign import Campaign, Counted, Fault
from tests.faults.small_runs import (
    differing,
    empty_folder,
    in_one_line,
    ntmbench,
    numbers,
    only_run,
    shown,
    small_run,
)
from tests.faults.writing import before_each_change, changes

ARGUMENTS = small_run("lstm")


def campaign(number: int, seed: int) -> Counted:
    """Fill the disk before so many of a run's changes, all of them if there are no more."""
    told: Counter[str] = Counter()
    faults: list[Fault] = []
    with empty_folder() as folder:
        results = folder / "results"
        written = changes(lambda: ntmbench(*ARGUMENTS), folder)
        whole = numbers(only_run(results))
        places = list(range(len(written)))
        if number < len(places):
            places = sorted(random.Random(seed).sample(places, number))
        for place in places:
            shutil.rmtree(results)
            how, wrong = _filled(results, place, written[place], whole)
            told[how] += 1
            if wrong:
                repeat = f"{shown(ARGUMENTS)}, full before change {place}: {written[place]}"
                faults.append(Fault(repeat, wrong))
    counts = ", ".join(f"{count} {how}" for how, count in sorted(told.items()))
    line = f"{len(places)} of {len(written)} writes of a run on a full disk: {counts}."
    return Counted(line, faults)


def _filled(results: Path, place: int, change: str, whole: dict[str, object]) -> tuple[str, str]:
    """Run on a disk that is full from a change on, then with room; how it ended, what is wrong."""
    seen = 0

    def full(kind: str, name: str) -> None:
        nonlocal seen
        seen += 1
        if seen > place:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with before_each_change(full, results.parent):
        ended = ntmbench(*ARGUMENTS)
    if ended.code == 0:
        if "The log cannot be written" not in ended.out:
            return "unnoticed", f"exit code 0 and no word of it: {ended}"
        how = "told of the log alone"
    elif not in_one_line(ended):
        return "told badly", str(ended)
    elif os.strerror(errno.ENOSPC) not in ended.err:
        return "told badly", f"not told that the disk is full: {ended.err}"
    else:
        how = "told in a line and made up for later"
    if left := [str(path) for path in results.rglob("*.part")]:
        return how, f"left {left}"
    if results.exists() and (unreadable := _unreadable(results)):
        return how, f"no longer whole: {unreadable}"
    again = ntmbench(*ARGUMENTS)
    if again.code != 0:
        return how, f"cannot go on: {again}"
    different = differing(numbers(only_run(results)), whole)
    return how, f"not the same: {different}" if different else ""


def _unreadable(results: Path) -> str:
    """What is not whole in a results folder; empty if everything is."""
    unreadable = load_results(results).unreadable
    reasons = [reason for reason in unreadable.values() if reason != "no status.json"]
    for checkpoint in results.rglob("checkpoint.pt"):
        load_checkpoint(checkpoint, checkpoint.parent.name)
    return "; ".join(reasons)


CAMPAIGN = Campaign(campaign, short=1, slow=20, whole=100_000)
