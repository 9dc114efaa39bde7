"""Observer: an object that watches a run, and what it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ntmbench.answer import Answer

if TYPE_CHECKING:  # help lists the observers, and loads neither
    import pandas as pd
    from rich.console import Console


@dataclass(frozen=True)
class RunFacts:
    """What is known about a run when it starts.

    Attributes:
        name: the name of its folder.
        folder: the folder of its files.
        answer: how the task's answers are read; it defines what an error is.
        sequences: the number of all training sequences.
        batch_size: sequences in a step.
        parameters: trainable numbers of the model.
        device: cpu or cuda.
        settings: the run's identity, plain values.
        console: the console to draw on.
    """

    name: str
    folder: Path
    answer: Answer
    sequences: int
    batch_size: int
    parameters: int
    device: str
    settings: dict[str, Any]
    console: Console


@dataclass(frozen=True)
class CurvePoint:
    """A row of the learning curve: per-sequence means on validation data."""

    step: int
    sequences: int
    seconds: float
    loss_bits: float
    errors: float
    exact_match: float


class Observer:
    """Watches a run; this one does nothing.

    An observer changes no number of the run, so that the choice of observers is not part of the
    run's identity.
    """

    def started(self, run: RunFacts) -> None:
        """Called before training, by the runner only: ``train`` by itself knows no run."""

    def resumed(self, step: int) -> None:
        """Called after training was resumed from a checkpoint."""

    def stepped(self, sequences: int, loss_bits: Callable[[], float]) -> None:
        """Called after each step, with the number of sequences so far.

        ``loss_bits`` computes the batch's mean loss in bits. It takes a tenth of a small model's
        step, so call it only when the loss is needed.
        """

    def validated(self, curve: list[CurvePoint], *, selected: bool) -> None:
        """Called after each validation, with the whole learning curve."""

    def rejected(self, step: int) -> None:
        """Called after a step that was not applied because its gradient was not finite."""

    def restarted(self, attempt: int, *, diverged: bool) -> None:
        """Called before attempt ``attempt``, from 0: the last one made mistakes or diverged."""

    def stopping(self) -> None:
        """Called in a thread of its own at the first request to stop, before the step ends."""

    def tested(self, evaluation: pd.DataFrame) -> None:
        """Called after the test, with a table of the columns of ``evaluation.csv``."""

    def ended(self, state: str, reason: str | None) -> None:
        """Called at the end; the state is finished, diverged, failed or interrupted."""


class Observers(Observer):
    """Tells several observers, in their order; those that are context managers are entered."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        """Take the observers."""
        self._observers = observers
        self._entered = ExitStack()

    def __enter__(self) -> Observers:
        """Enter those that are context managers."""
        for observer in self._observers:
            if isinstance(observer, AbstractContextManager):
                self._entered.enter_context(observer)
        return self

    def __exit__(self, *error: Any) -> None:
        """Leave them."""
        self._entered.__exit__(*error)

    def started(self, run: RunFacts) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.started(run)

    def resumed(self, step: int) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.resumed(step)

    def stepped(self, sequences: int, loss_bits: Callable[[], float]) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.stepped(sequences, loss_bits)

    def validated(self, curve: list[CurvePoint], *, selected: bool) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.validated(curve, selected=selected)

    def rejected(self, step: int) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.rejected(step)

    def restarted(self, attempt: int, *, diverged: bool) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.restarted(attempt, diverged=diverged)

    def stopping(self) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.stopping()

    def tested(self, evaluation: pd.DataFrame) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.tested(evaluation)

    def ended(self, state: str, reason: str | None) -> None:
        """Tell all."""
        for observer in self._observers:
            observer.ended(state, reason)
