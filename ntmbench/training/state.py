"""The state of training: what a checkpoint keeps beside model, optimizer and average."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from torch import Tensor

from ntmbench.training.observer import CurvePoint

#: Names of values in checkpoints of earlier versions.
_EARLIER_NAMES = {"wrong_bits": "errors", "within_bits": "within_errors"}


@dataclass(frozen=True)
class Selected:
    """The best weights so far.

    If a task can be solved, the weights with the fewest errors at the lengths of training are best:
    ``within_errors`` per sequence, the mean over the validation set and the task's selection sets
    that are no longer. Among weights that are equal in this, most often without a mistake, errors
    and then the loss decide. Both are shares of the scored answers, and means over all these sets
    and those of longer lengths. If a task cannot be solved, that mean of the loss decides alone.
    """

    step: int
    within_errors: float
    wrong_share: float
    loss_share: float
    weights: dict[str, Tensor]

    def beats(self, other: Selected | None, *, by_loss: bool) -> bool:
        """Whether these weights are better: by errors and then by loss, or by loss alone.

        A loss that is not a number is worse than any other.
        """
        return other is None or self.rank(by_loss=by_loss) < other.rank(by_loss=by_loss)

    def rank(self, *, by_loss: bool) -> tuple[float, ...]:
        """What decides, the first number most; less is better."""
        loss = math.inf if math.isnan(self.loss_share) else self.loss_share
        return (loss,) if by_loss else (self.within_errors, self.wrong_share, loss)


@dataclass
class TrainState:
    """The state of training, apart from model, optimizer and average."""

    step: int = 0
    rejected_in_a_row: int = 0
    rejected: int = 0
    #: Steps that were made; fewer than ``step`` if an attempt diverged and forfeited the rest.
    made: int = 0
    diverged: bool = False
    #: Whether an attempt has made no mistake, so that no other is needed.
    done: bool = False
    #: Seconds spent in the loop, and those of them spent in steps and not in validation.
    seconds: float = 0.0
    step_seconds: float = 0.0
    curve: list[CurvePoint] = field(default_factory=list)
    selected: Selected | None = None

    def count_step(self, *, applied: bool, patience: int) -> None:
        """Count a step; too many in a row that were not applied mean divergence."""
        self.step += 1
        self.made += 1
        if applied:
            self.rejected_in_a_row = 0
        else:
            self.rejected += 1
            self.rejected_in_a_row += 1
            self.diverged = self.rejected_in_a_row >= patience

    def packed(self) -> dict[str, Any]:
        """Plain values and tensors, for a checkpoint."""
        plain = asdict(replace(self, selected=None))
        if self.selected is not None:  # asdict would copy its weights, which are copies already
            plain["selected"] = dict(vars(self.selected))
        return plain

    @classmethod
    def unpacked(cls, packed: Mapping[str, Any]) -> TrainState:
        """The state from what ``packed`` returned, in this version or an earlier one."""
        selected = packed["selected"]
        return cls(
            **{
                **packed,
                "curve": [CurvePoint(**_present_names(point)) for point in packed["curve"]],
                "selected": selected and Selected(**_present_names(selected)),
            }
        )


def _present_names(values: Mapping[str, Any]) -> dict[str, Any]:
    return {_EARLIER_NAMES.get(name, name): value for name, value in values.items()}
