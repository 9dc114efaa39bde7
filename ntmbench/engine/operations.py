"""The eager engine of models that have a form in PyTorch operations of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from .contract import Engine

if TYPE_CHECKING:
    from torch import Tensor


def eager_engine(owner: str, module: str) -> type[Engine[Any]]:
    """The engine that runs a model's ``forward_eager``: on any device, under every transform.

    Args:
        owner: the model in messages.
        module: the full name of the module that has the model.
    """

    class Eager(Engine[Any]):
        name = "eager"
        modules = (module,)

        def obstacle(self, model: Any, inputs: Tensor) -> str | None:
            """There is none.

            Raises:
                ModelError: for inputs of a type or on a device that do not go with the weights.
            """
            from .inputs import check_kinds  # settings list engines without PyTorch

            check_kinds(owner, inputs, list(model.parameters()))
            return None

        def run(self, model: Any, inputs: Tensor) -> Tensor:
            """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``."""
            return cast("Tensor", model.forward_eager(inputs))

    return Eager
