"""How the selected weights are tested."""

from __future__ import annotations

from dataclasses import dataclass, field

from ntmbench.data.lengths import MAX_SEQUENCES
from ntmbench.errors import check_list, check_whole


@dataclass(frozen=True)
class EvaluationSettings:
    """How the selected weights are tested."""

    #: Test sequences of each length.
    sequences: int = 512
    #: Test lengths; empty for the task's own grid.
    lengths: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Check types and ranges; those of the lengths depend on the task."""
        check_whole("evaluation.sequences", self.sequences, 1, MAX_SEQUENCES)
        for length in check_list("evaluation.lengths", self.lengths):
            check_whole("evaluation.lengths", length, 1)
