"""The eager engine: plain PyTorch. It does without Numba."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntmbench.engine.contract import Engine
from ntmbench.registry import register_engine

if TYPE_CHECKING:
    from torch import Tensor

    from ntmbench.ntm.model import NTM
    from ntmbench.ntm.trace import NTMTrace


@register_engine("ntm", rank=100)
class EagerEngine(Engine["NTM"]):
    """Plain PyTorch, step by step: on any device, and under every transform."""

    name = "eager"
    modules = ("ntmbench.ntm.eager",)

    def obstacle(self, model: NTM, inputs: Tensor) -> str | None:
        """There is none.

        Raises:
            ModelError: for inputs of a type or on a device that do not go with the weights.
        """
        from ntmbench.engine.inputs import check_kinds

        check_kinds("NTM", inputs, model.tensors())
        return None

    def run(self, model: NTM, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``."""
        from ntmbench.ntm import eager

        return eager.run(model, inputs)

    def trace(self, model: NTM, inputs: Tensor) -> NTMTrace:
        """Run inputs without gradients and return what the memory did."""
        from ntmbench.ntm import eager

        return eager.trace(model, inputs)
