"""``python -m ntmbench.watch [results_dir]``: what runs, what waits, what failed, and time left."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ntmbench.commands.cells import CELL, TABLE, UNREADABLE, Expected, read_expected
from ntmbench.data.records import RecordError, read_record
from ntmbench.errors import UserError
from ntmbench.runs.watching import Watched, Watcher

#: Rows of each table in a terminal; ``--once`` shows all.
MOST_ROWS = 12


def main(arguments: Sequence[str] | None = None) -> int:
    """Show the runs until Ctrl-C; the exit code is 2 for what the user can mend."""
    parser = argparse.ArgumentParser(
        prog="python -m ntmbench.watch",
        description="Show what runs, what waits and what failed in a results folder, with the time "
        "left. It reads files alone: of runs on any machine that shares the folder.",
    )
    parser.add_argument(
        "results_dir", nargs="?", type=Path, default=Path("results"), help="default: %(default)s"
    )
    parser.add_argument(
        "--once", action="store_true", help="print it once, as is done without a terminal"
    )
    parser.add_argument(
        "--every", type=_seconds, default=2.0, help="seconds between looks; default: %(default)s"
    )
    given = parser.parse_args(arguments)
    console = Console()
    try:
        view = View(given.results_dir)
        if given.once or not console.is_terminal:
            console.print(*view.look(None), sep="\n")
        else:
            _live(view, console, given.every)
    except UserError as error:
        print(f"ntmbench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text} is out of range. Allowed: from 0.1 to 3600.")
    return seconds


def _live(view: View, console: Console, every: float) -> None:
    with Live(console=console, auto_refresh=False) as live:
        while True:
            live.update(Group(*view.look(MOST_ROWS)), refresh=True)
            time.sleep(every)


@dataclass(frozen=True)
class Sweep:
    """A sweep at the moment.

    Attributes:
        waiting: the overrides of the cells that are not started.
        stopped: whether nothing will start them any more.
        failed: the cells that failed, as their files tell, and those whose files are damaged.
    """

    waiting: list[str]
    stopped: bool
    failed: list[dict[str, Any]]


class View:
    """What is shown of a results folder."""

    def __init__(self, results: Path) -> None:
        """Take the folder.

        Raises:
            UserError: if there is none.
        """
        if not results.is_dir():
            raise UserError(f"There is no results folder at {results}.")
        self._results = results
        self._watcher = Watcher(results)
        self._cells = Cells()

    def look(self, most: int | None) -> list[RenderableType]:
        """What is there now, with at most so many rows to a table.

        Raises:
            UserError: if the folder cannot be read any more.
        """
        try:
            runs = self._watcher.look()
            sweeps = list(self._sweeps())
        except OSError as error:
            raise UserError(f"{self._results} cannot be read: {error}") from error
        return list(shown(runs, sweeps, most))

    def _sweeps(self) -> Iterable[Sweep]:
        """The newest sweep, and those before it that have not ended."""
        folder = self._results / "sweeps"
        if not folder.is_dir():
            return
        newest_first = sorted((path for path in folder.iterdir() if path.is_dir()), reverse=True)
        for place, path in enumerate(newest_first):
            ended = (path / TABLE).exists()
            if ended and place:
                continue
            sweep = self._cells.look(path, ended=ended)
            if not place or not sweep.stopped:
                yield sweep


class Cells:
    """Reads the cells of sweeps, and keeps those that have ended."""

    def __init__(self) -> None:
        self._ended: dict[Path, dict[str, Any]] = {}
        self._expected: dict[Path, Expected] = {}

    def look(self, sweep: Path, *, ended: bool) -> Sweep:
        """What became of a sweep's cells; ``ended`` if its table was written."""
        if sweep not in self._expected:
            try:
                self._expected[sweep] = read_expected(sweep)
            except OSError:  # one of an earlier version tells of no cells
                return Sweep([], True, [])
            except RecordError as error:
                return Sweep([], True, [_unreadable(sweep.name, error)])
        expected = self._expected[sweep]
        cells = [self._cell(sweep / str(number) / CELL) for number in range(len(expected.cells))]
        return Sweep(
            waiting=[
                overrides
                for overrides, cell in zip(expected.cells, cells, strict=True)
                if cell is None
            ],
            stopped=ended or expected.is_gone,
            failed=[
                cell
                for cell in cells
                if cell is not None and cell.get("state") in ("failed", UNREADABLE)
            ],
        )

    def _cell(self, path: Path) -> dict[str, Any] | None:
        """What is noted of a cell; None if it was not started."""
        if path in self._ended:
            return self._ended[path]
        try:
            cell = read_record(path)
        except OSError:
            return None
        except RecordError as error:
            return _unreadable(f"cell {path.parent.name}", error)
        if cell.get("state") != "running":
            self._ended[path] = cell
        return cell


def _unreadable(name: str, error: RecordError) -> dict[str, Any]:
    """What stands for a cell whose file is damaged."""
    return {"overrides": name, "state": UNREADABLE, "reason": str(error)}


def shown(
    runs: Sequence[Watched], sweeps: Sequence[Sweep], most: int | None
) -> Iterable[RenderableType]:
    """A line that sums up, and a table each of what runs, waits and failed, where there is any."""
    running = [run for run in runs if run.state == "running"]
    waiting = [cell for sweep in sweeps if not sweep.stopped for cell in sweep.waiting]
    never = sum(len(sweep.waiting) for sweep in sweeps if sweep.stopped)
    failed = list(_failed(runs, sweeps))
    finished = sum(run.state == "finished" for run in runs)
    left = seconds_left(runs, len(waiting))
    yield Text(
        f"{len(running):,} running, {len(waiting):,} waiting, {finished:,} finished, "
        f"{len(failed):,} failed or interrupted" + (f"; about {_time(left)} left" if left else "")
    )
    if running:
        yield _table(
            "Running",
            ("task", "model", "seed", "trained", "errors", "left"),
            [_of_run(run) for run in running],
            most,
        )
    if waiting:
        yield _table("Waiting", ("overrides",), [(cell,) for cell in waiting], most)
    if never:
        yield Text(
            f"Not started, and nothing will start them: {never:,} of the last sweep's cells. "
            "Give the same command again."
        )
    if failed:
        yield _table("Failed or interrupted", ("run", "state", "reason"), failed, most)


def seconds_left(runs: Sequence[Watched], waiting: int) -> float | None:
    """The time until all is done, by as many processes as are at work; None where unknown.

    A cell that waits takes as long as runs take in the median.
    """
    lefts = [run.seconds_left for run in runs if run.state == "running"]
    known = [left for left in lefts if left is not None]
    if not lefts or len(known) < len(lefts):
        return None
    if not waiting:
        return max(known)
    whole = [run.seconds for run in runs if run.state == "finished" and run.seconds]
    whole += [
        run.seconds + left
        for run in runs
        if run.state == "running" and (left := run.seconds_left) is not None
    ]
    return (sum(known) + waiting * statistics.median(whole)) / len(known)


def _of_run(run: Watched) -> tuple[str, ...]:
    left = run.seconds_left
    share = f"{run.done / run.sequences:.0%} of {run.sequences:,}" if run.sequences else "-"
    errors = "-" if run.errors is None else f"{run.errors:.3g}"
    told = "-" if left is None else "testing" if not left else _time(left)
    return run.task, run.model, str(run.seed), share, errors, told


def _failed(runs: Sequence[Watched], sweeps: Sequence[Sweep]) -> Iterable[tuple[str, str, str]]:
    """Runs that ended badly, and cells that failed before they were one."""
    told = set()
    for run in runs:
        if run.state not in ("running", "finished"):
            told.add((run.task, run.model, run.seed, run.reason))
            yield run.name, run.state, run.reason
    for cell in (cell for sweep in sweeps for cell in sweep.failed):
        what = cell.get("task"), cell.get("model"), cell.get("seed")
        if (*what, cell.get("reason")) not in told:
            yield str(cell.get("overrides")), str(cell.get("state")), str(cell.get("reason"))


def _table(
    title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], most: int | None
) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows[:most]:
        table.add_row(*(_plain(cell) for cell in row))
    if most is not None and len(rows) > most:
        table.caption = f"and {len(rows) - most:,} more"
    return table


def _plain(text: str) -> Text:
    """Text that is shown as it is: what a results folder holds must not steer the terminal."""
    return Text("".join(letter if letter.isprintable() else " " for letter in text))


def _time(seconds: float) -> str:
    """``45 s``, ``12 min`` or ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
