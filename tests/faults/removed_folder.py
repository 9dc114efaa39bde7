"""A folder is removed or moved away under a run.

The command says so in a line and fails, or ends well if the folder was not needed any more. The
same command then begins anew and ends with the same numbers.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path

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
    """Remove or move a folder before so many changes of a run, each drawn by itself."""
    told: Counter[str] = Counter()
    faults: list[Fault] = []
    with empty_folder() as folder:
        results = folder / "results"
        written = changes(lambda: ntmbench(*ARGUMENTS), folder)
        whole = numbers(only_run(results))
        for trial in range(number):
            draw = random.Random(f"{seed}-{trial}")
            place = draw.randrange(len(written))
            which, moved = draw.choice(["run", "runs", "results"]), draw.random() < 0.5
            what = f"{which} {'moved' if moved else 'removed'} before change {place}"
            for left in (results, folder / "moved"):
                shutil.rmtree(left, ignore_errors=True)
            how, wrong = _taken(folder, place, which, moved=moved, whole=whole)
            told[how] += 1
            if wrong:
                repeat = f"{shown(ARGUMENTS)}, {what}: {written[place]}"
                faults.append(Fault(repeat, wrong))
    counts = ", ".join(f"{count} {how}" for how, count in sorted(told.items()))
    return Counted(f"{number} folders removed or moved under a run: {counts}.", faults)


def _taken(
    folder: Path, place: int, which: str, *, moved: bool, whole: dict[str, object]
) -> tuple[str, str]:
    """Take a folder away before a change, then run again; how it ended, and what is wrong."""
    results = folder / "results"
    seen = 0

    def take(kind: str, name: str) -> None:
        nonlocal seen
        seen += 1
        if seen != place + 1:
            return
        taken = {"results": results, "runs": results / "runs"}.get(which)
        if taken is None and (results / "runs").exists():
            taken = next((results / "runs").iterdir(), None)
        if taken is None or not taken.exists():
            return
        if moved:
            taken.rename(folder / "moved")
        else:
            shutil.rmtree(taken)

    with before_each_change(take, folder):
        ended = ntmbench(*ARGUMENTS)
    how = "ended well" if ended.code == 0 else "told in a line"
    if ended.code != 0 and not in_one_line(ended):
        return "told badly", str(ended)
    again = ntmbench(*ARGUMENTS)
    if again.code != 0:
        return how, f"cannot begin anew: {again}"
    different = differing(numbers(only_run(results)), whole)
    return how, f"not the same: {different}" if different else ""


CAMPAIGN = Campaign(campaign, short=1, slow=10, whole=300)
