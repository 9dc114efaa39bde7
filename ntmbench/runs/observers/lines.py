"""The run's log: a line for each validation, and for whatever else happens."""

from __future__ import annotations

from ntmbench.registry import register_observer
from ntmbench.runs.log import logger
from ntmbench.training.observer import CurvePoint, Observer, RunFacts


@register_observer("lines")
class Lines(Observer):
    """Writes lines to the suite's log: ``log.txt``, and the console."""

    def __init__(self) -> None:
        """Know nothing about the run yet."""
        self._unit = "answer"

    def started(self, run: RunFacts) -> None:
        """Say what is trained, and on which device."""
        self._unit = run.answer.unit
        logger.info("%s: %s parameters on %s", run.name, f"{run.parameters:,}", run.device)

    def resumed(self, step: int) -> None:
        """Say at which step training goes on."""
        logger.info("Resumed at step %d.", step)

    def validated(self, curve: list[CurvePoint], *, selected: bool) -> None:
        """Tell the newest point of the curve."""
        point = curve[-1]
        logger.info(
            "%7d sequences  loss %8.3f bits  wrong %7.3f %ss  exact %6.1f %%%s",
            point.sequences,
            point.loss_bits,
            point.errors,
            self._unit,
            100 * point.exact_match,
            "  selected" if selected else "",
        )

    def rejected(self, step: int) -> None:
        """Say which step was left out."""
        logger.warning("Step %d was not applied: its gradient is not finite.", step)

    def restarted(self, attempt: int, *, diverged: bool) -> None:
        """Say why another attempt begins."""
        why = "It diverged" if diverged else "Mistakes on validation data are left"
        logger.info("%s: attempt %d begins anew.", why, attempt + 1)

    def stopping(self) -> None:
        """Say that the request to stop was heard."""
        logger.info("Stopping after this step; press again to stop at once.")
