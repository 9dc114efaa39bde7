"""What the kernels can run."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ntmbench.engine.obstacle import obstacle_in, obstacle_to_model


def obstacle_to_network(owner: str, inputs: Tensor, layers: Sequence[nn.Module]) -> str | None:
    """What keeps the kernels from running inputs with these layers' weights; None if nothing.

    Raises:
        ModelError: for inputs of a type or on a device that do not go with the weights.
    """
    return obstacle_in(layers) or obstacle_to_model(owner, inputs, weights_of(layers))


def weights_of(layers: Sequence[nn.Module]) -> list[Tensor]:
    """The weight and the bias of each linear map among the layers."""
    maps = [layer for layer in layers if isinstance(layer, nn.Linear)]
    return [tensor for layer in maps for tensor in (layer.weight, layer.bias)]
