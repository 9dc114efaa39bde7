"""Chunks: cells of a sweep that run one after the other in one process, on any machine.

A chunk imports PyTorch and loads the kernels once, whatever its number of cells, and the scheduler
has one job to start. A chunk that is started again, after its job was stopped, leaves out the cells
that have ended and goes on with the interrupted one from its checkpoint.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hydra.core.singleton import Singleton
from hydra.core.utils import run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from ntmbench.commands.cells import ENDED, UNREADABLE, Note, read_note
from ntmbench.training.interruption import interrupted_by_sigterm

T = TypeVar("T")


@dataclass(frozen=True)
class Cell:
    """One cell of a sweep."""

    number: int
    overrides: list[str]


def note_of(sweep: Path, cell: Cell) -> Note | None:
    """What is noted of a cell; None if it has not started.

    A note of other overrides is of an earlier sweep in the same folder, whose jobs are still at
    work, and says nothing of this cell.
    """
    note = read_note(sweep / str(cell.number))
    if note is None or note["state"] == UNREADABLE:
        return note
    return note if note["overrides"] == " ".join(cell.overrides) else None


def cut(items: Sequence[T], size: int) -> list[list[T]]:
    """Cut a list into chunks of ``size``; the last one may be smaller."""
    return [list(items[start : start + size]) for start in range(0, len(items), size)]


@dataclass(frozen=True)
class Worker:
    """All that a process on another machine needs to run cells of a sweep. It can be pickled.

    Attributes:
        context: Hydra's, which composes a cell's configuration.
        function: what runs a cell, the suite's ``job``.
        config: the sweep's configuration.
        sweep: the sweep's folder.
        directory: the folder in which the command was given.
        singletons: what Hydra keeps in global variables.
    """

    context: HydraContext
    function: TaskFunction
    config: DictConfig
    sweep: Path
    directory: Path
    singletons: dict[Any, Any]

    @classmethod
    def here(cls, context: HydraContext, function: TaskFunction, config: DictConfig) -> Worker:
        """A worker that does elsewhere what this process would do."""
        return cls(
            context=context,
            function=function,
            config=config,
            sweep=Path(config.hydra.sweep.dir).absolute(),
            directory=Path.cwd(),
            singletons=Singleton.get_state(),
        )

    def run(self, cells: Sequence[Cell]) -> list[Note]:
        """Run cells one after the other; return how each of them ended.

        A cell that fails says so in its note and stops no other. One that has ended already in this
        sweep is not run again.

        Raises:
            KeyboardInterrupt: after SIGINT or SIGTERM, once the run has written its checkpoint.
        """
        os.chdir(self.directory)
        if str(self.directory) not in sys.path:  # where model.target may be
            sys.path.insert(0, str(self.directory))
        Singleton.set_state(self.singletons)
        setup_globals()
        with interrupted_by_sigterm():
            return [self._run(cell) for cell in cells]

    def _run(self, cell: Cell) -> Note:
        noted = note_of(self.sweep, cell)
        if noted is not None and noted["state"] in ENDED:
            return noted
        config = self.context.config_loader.load_sweep_config(self.config, cell.overrides)
        with open_dict(config):
            config.hydra.sweep.dir = str(self.sweep)
            config.hydra.job.id = config.hydra.job.num = cell.number
        ended = run_job(
            hydra_context=self.context,
            task_function=self.function,
            config=config,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )
        note: Note = ended.return_value  # raises what the function raised
        return note
