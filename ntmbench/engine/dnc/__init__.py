"""The fused engine of the DNC: all steps of the whole network in one call, forward and backward.

The model, ``baselines/memory/dnc.py``, has the equations and the eager form, the reference.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from .shape import Shape

__all__ = ["Shape", "run"]


def run(shape: Shape, inputs: Tensor, weights: Sequence[Tensor]) -> Tensor:
    """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``, with gradients for every tensor.

    ``weights`` are weight and bias of the controller, the interface and the output, to none of
    which ``obstacle_to`` may have found an obstacle.
    """
    from . import fused  # Numba takes its time to import

    return fused.run(shape, inputs, weights)
