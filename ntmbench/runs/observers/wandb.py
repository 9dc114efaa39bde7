"""Weights & Biases: ``observers=[lines,bar,wandb]``, with the extra ``wandb``."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from ntmbench.errors import UserError
from ntmbench.registry import register_observer
from ntmbench.training.observer import CurvePoint, Observer, RunFacts

if TYPE_CHECKING:
    import pandas as pd

PROJECT = "ntmbench"


@register_observer("wandb")
class WeightsAndBiases(Observer):
    """Logs the learning curve, and the test grid as a table, to a run of the same name.

    W&B's own variables set project, entity and mode: WANDB_PROJECT, WANDB_ENTITY, WANDB_MODE.
    """

    def __init__(self) -> None:
        """Check that W&B is installed.

        Raises:
            UserError: if it is not.
        """
        if importlib.util.find_spec("wandb") is None:
            raise UserError("observers=wandb needs W&B: pip install 'ntmbench[wandb]'.")
        self._run: Any = None
        self._told = -1

    def __enter__(self) -> WeightsAndBiases:
        """Return itself; W&B's own run begins when ours starts."""
        return self

    def __exit__(self, *error: Any) -> None:
        """End W&B's run, as failed if ours ended with an error."""
        if self._run is not None:
            self._run.finish(exit_code=0 if error[0] is None else 1)

    def started(self, run: RunFacts) -> None:
        """Begin W&B's run, or resume it if ours was resumed."""
        import os

        import wandb

        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            name=run.name,
            id=run.name,
            resume="allow",
            dir=str(run.folder),
            config={**run.settings, "parameters": run.parameters, "device": run.device},
        )
        self._run.define_metric("validation/*", step_metric="sequences")

    def validated(self, curve: list[CurvePoint], *, selected: bool) -> None:
        """Log the points that are new."""
        for point in curve:
            if point.step > self._told:
                self._told = point.step
                self._run.log(
                    {
                        "sequences": point.sequences,
                        "validation/loss_bits": point.loss_bits,
                        "validation/errors": point.errors,
                        "validation/exact_match": point.exact_match,
                    }
                )

    def tested(self, evaluation: pd.DataFrame) -> None:
        """Log the test grid as a table."""
        import wandb

        plain = evaluation.astype(object).where(evaluation.notna(), None)
        rows: list[Any] = plain.to_numpy().tolist()
        table = wandb.Table(columns=list(plain.columns), data=rows)
        self._run.log({"test": table})

    def ended(self, state: str, reason: str | None) -> None:
        """Note how the run ended."""
        self._run.summary["state"] = state
