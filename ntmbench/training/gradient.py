"""One batch's gradient, and the random state that a model's random layers draw from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ntmbench.errors import ModelError
from ntmbench.evaluation.answering import answer
from ntmbench.evaluation.scores import loss_gradient
from ntmbench.model import TensorBatch
from ntmbench.task import Task


def backward(model: nn.Module, task: Task, batch: TensorBatch, owner: str = "The model") -> Tensor:
    """Add a batch's gradients to the model's weights; return the logits ``[T, B, out]``.

    Raises:
        ModelError: naming ``owner``, for logits of a wrong shape or type, or without a gradient.
    """
    logits = answer(model, batch, teacher=True, owner=owner)
    if not logits.requires_grad:
        raise ModelError(
            f"{owner} returned logits that do not depend on its weights, so that it cannot be "
            "trained. Expected: no detach() and no torch.no_grad() on the way to them."
        )
    shown = logits.detach()
    gradient = loss_gradient(task.answer, shown, batch)  # [T, B, out]
    # A number whose slope is the gradient. A gradient that is handed to `backward` is checked with
    # SymPy, whose import would delay the start of every run.
    (logits * gradient).sum().backward()  # type: ignore[no-untyped-call]
    return shown


@contextmanager
def own_random_state(seed: int, device: torch.device) -> Iterator[None]:
    """Give a model's random layers, if it has any, a stream of their own."""
    on_gpu = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if on_gpu else []):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would reach every GPU
        if on_gpu:
            torch.cuda.manual_seed(seed)
        yield
