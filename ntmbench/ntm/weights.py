"""The tensors of an NTM by their purpose, as its engines take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor


class FirstValues(NamedTuple):
    """The values before the first step."""

    controller: Tensor  # [layers, states, C]
    reads: Tensor  # [R, M]
    memory: Tensor  # [rows, M]: slot n begins as row n % rows
    weightings: Tensor  # [H, N]


class Weights(NamedTuple):
    """Weights and biases, as nn.Linear keeps them."""

    layers: Sequence[tuple[Tensor, Tensor]]  # all linear maps of the controller, in its order
    heads: tuple[Tensor, Tensor]
    output: tuple[Tensor, Tensor]  # it sees the reads and then the controller's output

    def flat(self) -> list[Tensor]:
        """All tensors in a row."""
        pairs = (*self.layers, self.heads, self.output)
        return [tensor for pair in pairs for tensor in pair]
