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
    """
    if 0 in given.shape or obstacle_to((given, recurrent)) is not None:
        return eager.run(given, recurrent)
    from . import fused  # Numba takes its time to import

    return fused.run(given, recurrent)


def slstm_cells_eager(given: Tensor, recurrent: Tensor) -> Tensor:
    """The same as ``slstm_cells``, step by step in PyTorch operations."""
    return eager.run(given, recurrent)
