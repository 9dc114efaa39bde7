"""Peak memory of one training step, measured in a process that has done nothing else.

The process builds the model, draws the batch and trains on two steps of one sequence, so that code,
compiled kernels and weights are in place, and gives back what it has freed. The result is the
difference between its largest resident set during one training step of the case and its resident
set before: activations, whatever forward keeps for backward, gradients and working space.
"""

from __future__ import annotations

import ctypes
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

import torch

from ntmbench.bench.cases import Case, Trainee
from ntmbench.errors import UserError
from ntmbench.task import Batch

STATUS = Path("/proc/self/status")
RESET = Path("/proc/self/clear_refs")


class MemoryProbe:
    """Measures in fresh processes, forked from one that has only imported PyTorch."""

    def __init__(self, pool: Executor | None, threads: int) -> None:
        """Take a ``pool`` with a new process for every task; None if memory cannot be measured."""
        self._pool = pool
        self._threads = threads

    def peak_bytes(self, contender: Trainee, case: Case, batch_size: int) -> float:
        """Growth of the resident set in one training step; NaN if it cannot be measured.

        Raises:
            UserError: if the process was killed, most likely for want of memory.
        """
        if self._pool is None:
            return float("nan")
        measured = self._pool.submit(_peak_bytes, contender, case, batch_size, self._threads)
        try:
            return float(measured.result())
        except BrokenProcessPool as error:
            raise UserError(
                f"{case.name}, batch {batch_size}, {contender.name}: the process that measured its "
                "memory was killed. There is too little memory for this case."
            ) from error


@contextmanager
def memory_probe(threads: int) -> Iterator[MemoryProbe]:
    """A probe whose processes compute with so many threads; it gives NaN except on Linux."""
    if not (RESET.exists() and STATUS.exists()):
        yield MemoryProbe(None, threads)
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["ntmbench.bench.cases"])
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as pool:
        yield MemoryProbe(pool, threads)


def _peak_bytes(contender: Trainee, case: Case, batch_size: int, threads: int) -> int:
    torch.set_num_threads(threads)
    batch = case.batch(batch_size)
    contender.step(case, _two_steps(batch))()
    step = contender.step(case, batch)
    _give_back_freed_memory()
    RESET.write_text("5")  # the highest so far becomes the present: proc_pid_clear_refs(5)
    before = _status_bytes("VmRSS")
    step()
    return max(0, _status_bytes("VmHWM") - before)


def _give_back_freed_memory() -> None:
    """Free memory that stays resident would hide what a small step takes (glibc only)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _two_steps(batch: Batch) -> Batch:
    """One sequence of two steps: the last of the question and the first of the answer."""
    around = slice(batch.answer_start - 1, batch.answer_start + 1)
    return Batch(batch.inputs[around, :1], batch.targets[around, :1], batch.mask[around, :1], 1)


def _status_bytes(name: str) -> int:
    for line in STATUS.read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) * 1024
    raise KeyError(name)
