"""A search by several workers, processes that a launcher of Hydra's starts as it does cells.

Which trials there are stands in the study, and a worker's note, a file, says how it ended. The
trial of a worker that was lost is taken back by another one. If none is left to do so, workers are
started again, as long as that brings the search on.
"""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

from hydra import compose
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher as Starting
from hydra.types import HydraContext
from rich.console import Console

from ntmbench.commands.cells import Note, read_note
from ntmbench.composition.composing import REFUSALS, composing, first_line, innermost
from ntmbench.errors import SettingError, UserError
from ntmbench.runs.check import reason_of
from ntmbench.search.arguments import Search
from ntmbench.search.launchers import Launcher
from ntmbench.search.lingering import ended_with_the_trials
from ntmbench.search.study import SharedStudy
from ntmbench.search.worker import Worker

#: Launches in a row after which nothing is started any more, if all workers were lost before a
#: trial has ended.
PATIENCE = 3
#: What the folder of workers' notes, in that of the search, begins with.
LAUNCHED = "launched-"
#: What is said of a worker whose note has this state; of all others, that they were lost.
ENDED_AS = {"failed": "gave up", "not started": "did not start"}


def run_workers(study: SharedStudy, search: Search, launcher: Launcher, console: Console) -> bool:
    """Let workers run trials until there are enough; False if none is left that could.

    Trials that other processes of the same search run count as there.

    Raises:
        UserError: if the launcher refuses its settings, or finds no cluster.
        KeyboardInterrupt: when interrupted, once the launcher has stopped the workers.
    """
    left = search.settings.workers
    fruitless = 0
    while left and fruitless < PATIENCE and (due := study.due()):
        counted = study.counted()
        notes: list[Note | None] = []
        try:
            with ended_with_the_trials(study, console):
                notes = _launched(search, launcher, min(left, due), study.folder, console)
        except KeyboardInterrupt:
            study.due()  # takes back the trials of workers that were killed
            raise
        for number, note in enumerate(notes):
            _tell(number, note, console)
        left -= sum(note is not None and note["state"] == "failed" for note in notes)
        fruitless = fruitless + 1 if study.counted() == counted else 0
    return not study.due()


def _launched(
    search: Search, launcher: Launcher, count: int, folder: Path, console: Console
) -> list[Note | None]:
    """Let a launcher run so many workers; the note of each, None if it never started."""
    notes = folder / f"{LAUNCHED}{datetime.now():%Y-%m-%d_%H-%M-%S-%f}"
    # Relative to a setting, since the folder's own path may hold what Hydra would read otherwise.
    sweep = f"hydra.sweep.dir=${{results_dir}}/searches/{folder.name}/{notes.name}"
    with composing():
        config = compose(
            "config",
            overrides=[*search.overrides, *launcher.overrides, sweep],
            return_hydra_config=True,
        )
        HydraConfig.instance().set_config(config)
        try:
            starting = Plugins.instance().instantiate_launcher(
                hydra_context=HydraContext(GlobalHydra.instance().config_loader(), Callbacks()),
                task_function=Worker(search, launcher.restarts),
                config=config,
            )
        except REFUSALS as error:
            raise SettingError(
                f"{launcher.overrides[0]}: {first_line(innermost(error))}"
            ) from error
        try:
            _launch(starting, [list(search.overrides)] * count, console)
            return [read_note(notes / str(number)) for number in range(count)]
        finally:
            shutil.rmtree(notes, ignore_errors=True)  # a job that ends late may write its note


def _launch(starting: Starting, workers: list[list[str]], console: Console) -> None:
    try:
        starting.launch(workers, initial_job_idx=0)
    except (UserError, OSError):
        raise
    except Exception as error:  # joblib's, of a worker that was killed
        console.print(reason_of(error), highlight=False, markup=False, soft_wrap=True)


def _tell(number: int, note: Note | None, console: Console) -> None:
    """Say in a line how a worker ended that did not see enough trials."""
    if note is not None and note["state"] == "finished":
        return
    ended = ENDED_AS.get(note["state"] if note else "not started", "was lost")
    reason = (note or {}).get("reason") or "its process ended"
    line = f"worker {number} {ended}: {reason.rstrip('.')}."
    console.print(line, highlight=False, markup=False, soft_wrap=True)
