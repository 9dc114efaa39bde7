"""The fused engine: compiled kernels. Numba is imported when they first run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntmbench.engine.contract import Engine
from ntmbench.registry import register_engine

if TYPE_CHECKING:
    from torch import Tensor

    from ntmbench.ntm.model import NTM
    from ntmbench.ntm.trace import NTMTrace


@register_engine("ntm", rank=0)
class FusedEngine(Engine["NTM"]):
    """Compiled kernels that take a whole sequence, on a CPU."""

    name = "fused"
    modules = ("ntmbench.ntm.kernels.autograd",)

    def obstacle(self, model: NTM, inputs: Tensor) -> str | None:
        """What the kernels cannot run, and where PyTorch could not follow them.

        Raises:
            ModelError: for inputs of a type or on a device that do not go with the weights.
        """
        from ntmbench.ntm.kernels.obstacle import obstacle_of

        return obstacle_of(model.settings, inputs, model.tensors())

    def run(self, model: NTM, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``, with gradients for every tensor."""
        from ntmbench.engine.elementwise import differentiable_softmax
        from ntmbench.ntm.kernels import autograd

        first = model.first_values(differentiable_softmax)
        return autograd.run(model.settings, inputs, first, model.weights())

    def trace(self, model: NTM, inputs: Tensor) -> NTMTrace:
        """Run inputs without gradients and return what the memory did."""
        from ntmbench.engine.elementwise import differentiable_softmax
        from ntmbench.ntm.kernels import autograd

        first = model.first_values(differentiable_softmax)
        return autograd.trace(model.settings, inputs, first, model.weights())
