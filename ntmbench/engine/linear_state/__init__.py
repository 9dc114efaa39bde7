"""The recurrence that the matrix-state models share, in three forms.

S_t = S_{t-1} A_t + v_t k_t^T,   o_t = S_t q_t,   A_t = diag(w_t) - a_t b_t^T

A_t is the identity (linear attention), a number (Mamba 2), the identity less a matrix of rank one
(DeltaNet), that times a number (Gated DeltaNet), or diagonal less such a matrix (RWKV-7). With an
output after each n-th step alone, the transition between two outputs is a product of n matrices
(DeltaProduct). ``linear_state`` is what models use; the other two forms stand beside it in tests
and in ``ntmbench.bench.linear_state``.
"""

from __future__ import annotations

from torch import Tensor

from ntmbench.engine.obstacle import obstacle_to

from . import chunked, recurrence
from .arguments import arguments
from .influence import influences

__all__ = ["influences", "linear_state", "linear_state_chunked", "linear_state_eager"]


def linear_state(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    decay: Tensor | None = None,
    erase: tuple[Tensor, Tensor] | None = None,
    state: Tensor | None = None,
    every: int = 1,
) -> tuple[Tensor, Tensor]:
    """Run the recurrence over all steps, by the fused kernels where they can.

    Args:
        query: ``[T / every, B, H, K]``.
        key: ``[T, B, H, K]``.
        value: ``[T, B, H, V]``.
        decay: w, ``[T, B, H]`` (one for all of K) or ``[T, B, H, K]``; None for 1.
        erase: a and b, both ``[T, B, H, K]``; None for no erasing.
        state: the state before the first step, ``[B, H, V, K]``; None for zeros.
        every: an output is given after each ``every``-th step.

    Returns:
        Outputs ``[T / every, B, H, V]`` and the last state ``[B, H, V, K]``.

    Raises:
        ValueError: if the sizes do not go together.
    """
    given = arguments(query, key, value, decay, erase, state, every)
    if obstacle_to(given.tensors()) is not None:
        return recurrence.run(given)
    from . import fused  # Numba takes its time to import

    return fused.run(given)


def linear_state_eager(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    decay: Tensor | None = None,
    erase: tuple[Tensor, Tensor] | None = None,
    state: Tensor | None = None,
    every: int = 1,
) -> tuple[Tensor, Tensor]:
    """The same as ``linear_state``, step by step in PyTorch operations."""
    return recurrence.run(arguments(query, key, value, decay, erase, state, every))


def linear_state_chunked(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    decay: Tensor | None = None,
    erase: tuple[Tensor, Tensor] | None = None,
    state: Tensor | None = None,
    every: int = 1,
    chunk: int = 32,
) -> tuple[Tensor, Tensor]:
    """The same as ``linear_state`` for positive decays, by products over ``chunk`` steps at once.

    A chunk has whole multiples of ``every`` steps.
    """
    return chunked.run(arguments(query, key, value, decay, erase, state, every), chunk)
