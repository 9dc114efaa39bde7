"""A digest of every result of the kernels: `python -m tests.engine.linear_state.digits`."""

from __future__ import annotations

import hashlib

import torch

from ntmbench.engine.linear_state import linear_state
from tests.engine.linear_state.drawing import Case, draw
from tests.engine.linear_state.test_kernels import results

CASES = (
    Case("diagonal", True, 2, True, steps=20, keys=21, values=18),
    Case("scalar", False, 1, False, steps=9),
)


def digests() -> list[str]:
    """Of outputs, last state and gradients of every case."""
    return [
        f"{case} {hashlib.blake2b(result.numpy().tobytes(), digest_size=8).hexdigest()}"
        for case in CASES
        for result in results(linear_state, draw(case, torch.float32))
    ]


if __name__ == "__main__":
    print("\n".join(digests()))
