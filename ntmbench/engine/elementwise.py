"""Sigmoid, softplus and softmax of tensors, with the same digits on every processor.

PyTorch's own differ in the last digits with the processor's instructions. They are used where there
is no other way: on other devices, for other types than float32 and float64, and for a tensor whose
gradient PyTorch is to find.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional


def sigmoid(x: Tensor) -> Tensor:
    """``1 / (1 + exp(-x))``."""
    return _by_number("sigmoids", x) if _compilable(x) else x.sigmoid()


def softplus(x: Tensor) -> Tensor:
    """``log(1 + exp(x))``."""
    return _by_number("softpluses", x) if _compilable(x) else functional.softplus(x)


def softmax(x: Tensor) -> Tensor:
    """The softmax over the last axis."""
    return _softmax(x) if _compilable(x) else x.softmax(dim=-1)


def log_sum_exp(x: Tensor) -> Tensor:
    """The logarithm of the sum of exponentials over the last axis."""
    if not _compilable(x):
        return x.logsumexp(dim=-1)
    from .elementwise_kernels import log_sums

    result = x.new_empty(x.shape[:-1])
    log_sums(_flat(_copy(x)), x.shape[-1], _flat(result))
    return result


def differentiable_softmax(x: Tensor) -> Tensor:
    """The softmax over the last axis of a CPU tensor, with its first derivative."""
    return cast(Tensor, _Softmax.apply(x))  # type: ignore[no-untyped-call]


class _Softmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        result = _softmax(x)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> Tensor:
        from .elementwise_kernels import softmaxes_backward

        (result,) = ctx.saved_tensors
        gradient = _copy(result)
        softmaxes_backward(_flat(gradient), result.shape[-1], _flat(_copy(slopes)))
        return gradient


def _compilable(x: Tensor) -> bool:
    recorded = x.requires_grad and torch.is_grad_enabled()
    return x.is_cpu and x.dtype in (torch.float32, torch.float64) and not recorded


def _by_number(kernel: str, x: Tensor) -> Tensor:
    from . import elementwise_kernels  # compiled when it is first needed

    result = _copy(x)
    getattr(elementwise_kernels, kernel)(_flat(result))
    return result


def _softmax(x: Tensor) -> Tensor:
    from .elementwise_kernels import softmaxes

    result = _copy(x)
    softmaxes(_flat(result), x.shape[-1])
    return result


def _copy(x: Tensor) -> Tensor:
    """The numbers in memory of their own, in order."""
    return x.detach().resolve_neg().clone(memory_format=torch.contiguous_format)


def _flat(x: Tensor) -> Any:
    """The numbers of such a tensor as a flat array."""
    return x.view(-1).numpy()
