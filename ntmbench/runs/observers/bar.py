"""A line on the terminal with loss, errors, speed and time left."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ntmbench.registry import register_observer
from ntmbench.training.observer import CurvePoint, Observer, RunFacts

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

# Often enough for the eye, and seldom enough to cost nothing.
REFRESH_SECONDS = 0.2


@register_observer("bar")
class Bar(Observer):
    """Draws the line on a terminal only, and removes it at the end."""

    def __init__(self) -> None:
        """Draw nothing yet."""
        self._progress: Progress | None = None
        self._bar: TaskID | None = None
        self._batch_size = 1
        self._drawn = 0.0
        self._since = (time.monotonic(), 0)

    def __enter__(self) -> Bar:
        """Return itself; the line is drawn when the run starts."""
        return self

    def __exit__(self, *error: Any) -> None:
        """Remove the line, however the run ended."""
        if self._progress is not None:
            self._progress.stop()

    def started(self, run: RunFacts) -> None:
        """Draw the line."""
        if not run.console.is_terminal:
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._batch_size = run.batch_size
        self._since = (time.monotonic(), 0)
        self._progress = Progress(
            TextColumn("{task.percentage:3.0f} %"),
            BarColumn(bar_width=10),  # the line fits 80 columns
            TextColumn(
                f"loss {{task.fields[loss]}}  wrong {{task.fields[wrong]}} {run.answer.unit}s"
            ),
            TextColumn("{task.fields[speed]} sequences/s"),
            TimeRemainingColumn(),
            console=run.console,
            transient=True,
        )
        self._bar = self._progress.add_task("", total=run.sequences, loss="-", wrong="-", speed="-")
        self._progress.start()

    def resumed(self, step: int) -> None:
        """Begin at the step of the checkpoint."""
        self._since = (time.monotonic(), step * self._batch_size)
        self._update(completed=step * self._batch_size)

    def stepped(self, sequences: int, loss_bits: Callable[[], float]) -> None:
        """Update the line, every now and then."""
        if self._progress is None:
            return
        now = time.monotonic()
        if now - self._drawn >= REFRESH_SECONDS:
            self._drawn = now
            started, before = self._since
            speed = (sequences - before) / max(now - started, 1e-9)
            self._update(completed=sequences, loss=f"{loss_bits():.2f}", speed=f"{speed:,.0f}")

    def validated(self, curve: list[CurvePoint], *, selected: bool) -> None:
        """Show the newest validation's errors."""
        self._update(wrong=f"{curve[-1].errors:.2f}")

    def _update(self, **fields: Any) -> None:
        if self._progress is not None and self._bar is not None:
            self._progress.update(self._bar, **fields)
