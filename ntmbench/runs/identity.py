"""What is read off a run's identity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ntmbench.training.settings import TrainSettings


def validation_size(identity: Mapping[str, Any]) -> int:
    """The number of validation sequences of a run with this identity; the default if it has none.

    On the same sequences the levels have no sampling error against the learning curve.
    """
    size: int = identity.get("train", {}).get(
        "validation_sequences", TrainSettings().validation_sequences
    )
    return size
