"""The eager engine of models that have a form in PyTorch operations of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from .contract import Engine

if TYPE_CHECKING:
    from torch import Tensor

    from ntmbench.trace import Trace


class InOperations(Protocol):
    """A model that can be computed step by step in PyTorch operations."""

    def forward_eager(self, inputs: Tensor) -> Tensor:
        """Logits ``[T, B, out]`` for inputs ``[T, B, in]``."""

    def trace(self, inputs: Tensor) -> Trace:
        """What the memory did."""


class EagerEngine(Engine[Any]):
    """The model's own form: on any device, and under every transform."""

    name = "eager"
    modules: ClassVar[tuple[str, ...]] = ("ntmbench.engine.operations",)

    def obstacle(self, model: InOperations, inputs: Tensor) -> str | None:
        """There is none; PyTorch says what it cannot run."""
        return None

    def run(self, model: InOperations, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``."""
        return model.forward_eager(inputs)

    def trace(self, model: InOperations, inputs: Tensor) -> Trace:
        """Run inputs without gradients and return what the memory did."""
        return model.trace(inputs)
