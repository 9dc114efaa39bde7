"""Chunks of cells as tasks of Ray, those of lost workers and nodes again."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError, RuntimeEnvSetupError, TaskCancelledError

from ntmbench.clusters.chunks import Cell, Worker
from ntmbench.clusters.driver import Returned
from ntmbench.clusters.ray_cluster import GIB
from ntmbench.clusters.retries import Retries
from ntmbench.clusters.sent import Sent, pack, run
from ntmbench.composition.composing import first_line
from ntmbench.runs.check import reason_of
from ntmbench.training.interruption import Interrupted, stop_requests

#: Seconds between two looks at the tasks, and for signals.
LOOK = 0.5
#: Seconds that interrupted cells have for their checkpoints.
GRACE = 60.0

#: A task. Ray itself would run a whole chunk again that was lost.
_run = ray.remote(max_retries=0)(run)


@dataclass
class Chunks:
    """The chunks of a sweep, and the tasks that run them.

    Attributes:
        worker: what runs the cells, wherever the task is.
        room: what a task asks of its node: CPUs, GPUs and GiB.
        retries: what became of lost cells so far.
        running: the cells of each task that has not ended.
    """

    worker: Worker
    room: Mapping[str, float]
    retries: Retries
    running: dict[Any, list[Cell]] = field(default_factory=dict)

    def start(self, chunks: Sequence[list[Cell]]) -> Iterator[Returned]:
        """Run all chunks, and give each as it ends.

        Raises:
            Interrupted: after SIGINT or SIGTERM, once running cells wrote their checkpoints.
        """
        self._sent = ray.put(Sent.of(self.worker))
        with stop_requests(_announce) as stop:
            for chunk in chunks:
                self._submit(chunk)
            while self.running and not stop.signal_number:
                tasks = list(self.running)
                ended, _ = ray.wait(tasks, num_returns=len(tasks), timeout=LOOK)
                for task in ended:
                    cells = self.running.pop(task)
                    try:
                        yield Returned(cells, ray.get(task))
                    except RayError as error:
                        self._after(error, cells)
            if stop.signal_number:
                self._interrupt()
                raise Interrupted(stop.signal_number)

    def _submit(self, cells: list[Cell]) -> None:
        numbers = [cell.number for cell in cells]
        name = f"cells {min(numbers)}-{max(numbers)}" if len(cells) > 1 else f"cell {numbers[0]}"
        options = {
            "num_cpus": self.room["num_cpus"],
            "num_gpus": self.room["num_gpus"],
            "memory": self.room["mem_gb"] * GIB,
        }
        task = _run.options(name=name, **options).remote(self._sent, pack(cells))
        self.running[task] = cells

    def _after(self, error: RayError, cells: list[Cell]) -> None:
        """Run cells again whose process was lost or told to end by its node."""
        lost = not isinstance(error, RayTaskError | RuntimeEnvSetupError)
        if lost or isinstance(error, TaskCancelledError):
            again = self.retries.after_loss(cells, first_line(error))
            if again:
                self._submit(again)
        else:  # the worker could not even begin, and would not the next time
            cause = getattr(error, "cause", None) or error
            self.retries.give_up(self.retries.unfinished(cells), reason_of(cause))

    def _interrupt(self) -> None:
        """Interrupt running cells as Ctrl-C does, take waiting ones back, and wait for both."""
        tasks = list(self.running)
        for task in tasks:
            ray.cancel(task, recursive=False)
        if tasks:
            ray.wait(tasks, num_returns=len(tasks), timeout=GRACE)


def _announce() -> None:
    print("Interrupting all that runs; press again to leave at once.", file=sys.stderr)
