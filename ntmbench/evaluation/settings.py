"""How the selected weights are tested."""

from __future__ import annotations

from dataclasses import dataclass, field

from ntmbench.data.lengths import MAX_SEQUENCES
from ntmbench.errors import check_range


@dataclass(frozen=True)
class EvaluationSettings:
    """How the selected weights are tested."""

    #: Test sequences of each length.
    sequences: int = 512
    #: Test lengths; empty for the task's own grid.
    lengths: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range("evaluation.sequences", self.sequences, 1, MAX_SEQUENCES)
