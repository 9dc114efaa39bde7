"""Which derivatives the kernels have: the first, for one gradient of their results at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from ntmbench.errors import ModelError


def check_first_derivatives(engine: str, otherwise: str, *slopes: Tensor) -> None:
    """Raise unless a backward pass by kernels can be what was asked for.

    Args:
        engine: what runs, in words.
        otherwise: where it works, as a sentence.
        slopes: the gradients of the results.

    Raises:
        ModelError: if it is to be differentiated, or is for several gradients at once.
    """
    # PyTorch's once_differentiable would take them for zero if the slopes are constants.
    if torch.is_grad_enabled():
        raise ModelError(f"The {engine} has no second derivatives (create_graph=True). {otherwise}")
    batch = torch._C._functorch
    if any(batch.is_legacy_batchedtensor(d) or batch.is_batchedtensor(d) for d in slopes):
        raise ModelError(
            f"The {engine} takes no batches of gradients (is_grads_batched=True, vectorize=True, "
            f"torch.func.vmap). {otherwise}"
        )
