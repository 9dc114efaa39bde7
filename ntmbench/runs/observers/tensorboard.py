"""TensorBoard: ``observers=[lines,bar,tensorboard]``, with the extra ``tensorboard``."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from ntmbench.errors import UserError
from ntmbench.registry import register_observer
from ntmbench.training.observer import CurvePoint, Observer, RunFacts

if TYPE_CHECKING:
    import pandas as pd


@register_observer("tensorboard")
class TensorBoard(Observer):
    """Writes the learning curve and the test grid into ``tensorboard/`` of the run's folder.

    The horizontal axis counts training sequences; for the test grid it is the length.
    """

    def __init__(self) -> None:
        """Check that TensorBoard is installed.

        Raises:
            UserError: if it is not.
        """
        if importlib.util.find_spec("tensorboard") is None:
            raise UserError(
                "observers=tensorboard needs TensorBoard: pip install 'ntmbench[tensorboard]'."
            )
        self._writer: Any = None
        self._told = -1

    def __enter__(self) -> TensorBoard:
        """Return itself; the files are opened when the run starts."""
        return self

    def __exit__(self, *error: Any) -> None:
        """Close the files, however the run ended."""
        if self._writer is not None:
            self._writer.close()

    def started(self, run: RunFacts) -> None:
        """Open the files."""
        from torch.utils.tensorboard import SummaryWriter  # takes a second

        self._writer = SummaryWriter(str(run.folder / "tensorboard"))

    def validated(self, curve: list[CurvePoint], *, selected: bool) -> None:
        """Write the new points; after a resume, also those from before it."""
        for point in curve:
            if point.step > self._told:
                self._told = point.step
                for name in ("loss_bits", "errors", "exact_match"):
                    value = getattr(point, name)
                    self._writer.add_scalar(f"validation/{name}", value, point.sequences)

    def tested(self, evaluation: pd.DataFrame) -> None:
        """Write the test grid, over the lengths."""
        for row in evaluation.to_dict("records"):
            for name in ("loss_bits", "errors", "exact_match"):
                self._writer.add_scalar(f"test/{name}", row[name], row["length"])
