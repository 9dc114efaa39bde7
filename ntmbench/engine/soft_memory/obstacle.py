"""What the kernels can run."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ntmbench.engine.obstacle import is_obstructed, plain_layers


def can_run(inputs: Tensor, layers: Sequence[nn.Module], width: int) -> bool:
    """Whether the kernels can run ``inputs [T, B, width]`` with these layers' weights.

    Inputs of other sizes are left to PyTorch, which says what is wrong.
    """
    if inputs.ndim != 3 or inputs.shape[2] != width or 0 in inputs.shape:
        return False
    return plain_layers(layers) and not is_obstructed([inputs, *weights_of(layers)])


def weights_of(layers: Sequence[nn.Module]) -> list[Tensor]:
    """The weight and the bias of each linear map among the layers."""
    maps = [layer for layer in layers if isinstance(layer, nn.Linear)]
    return [tensor for layer in maps for tensor in (layer.weight, layer.bias)]
