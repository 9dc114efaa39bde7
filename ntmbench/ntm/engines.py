"""The engines that can compute an NTM.

What an engine needs is imported when it runs: settings list the engines, and do without PyTorch;
the eager engine does without Numba.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntmbench.engine.contract import Engine

if TYPE_CHECKING:
    from torch import Tensor

    from ntmbench.ntm.model import NTM
    from ntmbench.ntm.trace import NTMTrace


class FusedEngine(Engine["NTM"]):
    """Compiled kernels that take a whole sequence, on a CPU."""

    name = "fused"
    modules = ("ntmbench.ntm.kernels.autograd",)

    def obstacle(self, model: NTM, inputs: Tensor) -> str | None:
        """What the kernels cannot run, and what PyTorch could not follow them in.

        Raises:
            ModelError: for inputs of a type or on a device that do not go with the weights.
        """
        from ntmbench.ntm.kernels.obstacle import obstacle_of

        return obstacle_of(model.settings, inputs, model.tensors())

    def run(self, model: NTM, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``, with gradients for every tensor."""
        from ntmbench.ntm.kernels import autograd

        return autograd.run(model.settings, inputs, model.first_values(), model.weights())

    def trace(self, model: NTM, inputs: Tensor) -> NTMTrace:
        """Run inputs without gradients and return what the memory did."""
        from ntmbench.ntm.kernels import autograd

        return autograd.trace(model.settings, inputs, model.first_values(), model.weights())


class EagerEngine(Engine["NTM"]):
    """Plain PyTorch, step by step: on any device, and under every transform."""

    name = "eager"
    modules = ("ntmbench.ntm.eager",)

    def obstacle(self, model: NTM, inputs: Tensor) -> str | None:
        """There is none.

        Raises:
            ModelError: for inputs of a type or on a device that do not go with the weights.
        """
        from ntmbench.ntm.checks import check_kinds

        check_kinds(inputs, model.tensors())
        return None

    def run(self, model: NTM, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``."""
        from ntmbench.ntm import eager

        return eager.run(model, inputs)

    def trace(self, model: NTM, inputs: Tensor) -> NTMTrace:
        """Run inputs without gradients and return what the memory did."""
        from ntmbench.ntm import eager

        return eager.trace(model, inputs)


#: The fastest first.
ENGINES: tuple[Engine[NTM], ...] = (FusedEngine(), EagerEngine())
