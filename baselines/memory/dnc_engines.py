"""The engines that can compute a DNC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntmbench.engine import dnc
from ntmbench.engine.contract import Engine
from ntmbench.engine.obstacle import hooked, obstacle_in, obstacle_to_model
from ntmbench.engine.operations import eager_engine
from ntmbench.registry import register_engine

if TYPE_CHECKING:
    from torch import Tensor

    from ntmbench.baselines.memory.dnc import DNC


@register_engine("dnc", rank=0)
class FusedDNC(Engine["DNC"]):
    """Kernels that take a whole sequence, on a CPU."""

    name = "fused"
    modules = ("ntmbench.engine.dnc.fused",)

    def obstacle(self, model: DNC, inputs: Tensor) -> str | None:
        """What the kernels cannot run.

        Raises:
            ModelError: for inputs of a type or on a device that do not go with the weights.
        """
        if hooked(model.controller.modules()):
            return "with hooks on its controller"
        return obstacle_in(model.maps()) or obstacle_to_model("DNC", inputs, model.weights())

    def run(self, model: DNC, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``."""
        return dnc.run(model.shape(), inputs, model.weights())


register_engine("dnc", rank=100)(eager_engine("DNC", "ntmbench.baselines.memory.dnc"))
