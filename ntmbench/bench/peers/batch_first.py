"""What surrounds a peer's layers, so that they are a model."""

from __future__ import annotations

from torch import Tensor, nn

from ntmbench.bench.peer import Sizes


class BatchFirst(nn.Module):
    """A linear map of the inputs, layers that take ``[B, T, d]``, and a linear map to the logits.

    Ours have the same around their layers.
    """

    def __init__(self, layers: nn.Module, width: int, sizes: Sizes) -> None:
        """Build the maps around ``layers``, which are ``width`` wide."""
        super().__init__()
        self.embed = nn.Linear(sizes.inputs, width)
        self.layers = layers
        self.output = nn.Linear(width, sizes.outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``."""
        logits: Tensor = self.output(self.layers(self.embed(inputs.transpose(0, 1))))
        return logits.transpose(0, 1)
