"""The cells of an sLSTM over all steps, in two forms; ``baselines.linear.slstm`` has its equations.

``slstm_cells`` is what the model uses, and ``slstm_cells_eager`` stands beside it in tests.
"""

from __future__ import annotations

from torch import Tensor

from ntmbench.engine.obstacle import obstacle_to

from . import eager

__all__ = ["slstm_cells", "slstm_cells_eager"]


def slstm_cells(given: Tensor, recurrent: Tensor) -> Tensor:
    """Outputs h ``[T, B, H, S]`` of cells that start at zero, by the kernels where they can.

    Args:
        given: W x + b, ``[T, B, H, 4, S]``: of input gate, forget gate, cell input and output gate.
        recurrent: R, ``[H, S, 4 S]``, from a head's outputs to the same four.

    Raises:
        ValueError: if the sizes do not go together, or there is no step.
    """
    _check(given, recurrent)
    if 0 in given.shape or obstacle_to((given, recurrent)) is not None:
        return eager.run(given, recurrent)
    from . import fused  # Numba takes its time to import

    return fused.run(given, recurrent)


def slstm_cells_eager(given: Tensor, recurrent: Tensor) -> Tensor:
    """The same as ``slstm_cells``, step by step in PyTorch operations."""
    _check(given, recurrent)
    return eager.run(given, recurrent)


def _check(given: Tensor, recurrent: Tensor) -> None:
    if given.ndim != 5 or given.shape[3] != 4 or len(given) == 0:
        raise ValueError(f"given must be [T, B, H, 4, S], T at least 1; got {list(given.shape)}.")
    heads, size = given.shape[2], given.shape[4]
    if recurrent.shape != (heads, size, 4 * size):
        raise ValueError(
            f"recurrent must be {[heads, size, 4 * size]}, to go with given; "
            f"got {list(recurrent.shape)}."
        )
