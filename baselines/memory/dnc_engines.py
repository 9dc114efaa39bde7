"""The engines that can compute a DNC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntmbench.engine.contract import Engine
from ntmbench.engine.operations import EagerEngine
from ntmbench.registry import register_engine

if TYPE_CHECKING:
    from torch import Tensor

    from ntmbench.baselines.memory.dnc import DNC
    from ntmbench.trace import Trace


@register_engine("dnc", rank=0)
class FusedDNC(Engine["DNC"]):
    """Kernels that take a whole sequence, on a CPU."""

    name = "fused"
    modules = ("ntmbench.engine.dnc.fused",)

    def obstacle(self, model: DNC, inputs: Tensor) -> str | None:
        """What the kernels cannot run."""
        from ntmbench.engine.obstacle import hooked, obstacle_in, obstacle_to

        if hooked(model.controller.modules()):
            return "with hooks on its controller"
        return obstacle_in(model.maps()) or obstacle_to([inputs, *model.weights()])

    def run(self, model: DNC, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``."""
        from ntmbench.engine import dnc

        return dnc.run(model.shape(), inputs, model.weights())

    def trace(self, model: DNC, inputs: Tensor) -> Trace:
        """What the memory did, in PyTorch operations."""
        trace: Trace = model.trace(inputs)
        return trace


@register_engine("dnc", rank=100)
class EagerDNC(EagerEngine):
    """The model's own loop over the steps."""

    modules = ("ntmbench.baselines.memory.dnc",)
