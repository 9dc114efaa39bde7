"""Controllers: the network that sees the input and the last reads, and drives the heads.

Every controller is a stack of layers of equal size. One layer is one linear map of its input
together with its own last state; the state of a layer is a tuple of ``[B, size]`` tensors.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from ntmbench.ntm.beginning import initialised_linear

LayerState = tuple[Tensor, ...]


class Layer(nn.Module):
    """One layer: input ``[B, width]`` and state to output ``[B, size]`` and state."""

    #: Tensors in the state.
    states: ClassVar[int]
    size: int

    @abstractmethod
    def linears(self) -> tuple[nn.Linear, ...]:
        """The layer's linear maps, in the order in which its engines take them."""

    @abstractmethod
    def forward(self, inputs: Tensor, state: LayerState) -> tuple[Tensor, LayerState]:
        """One step."""


class FeedforwardLayer(Layer):
    """tanh units without a state."""

    states = 0

    def __init__(self, width: int, size: int) -> None:
        """``width`` inputs, ``size`` units."""
        super().__init__()
        self.size = size
        self.linear = initialised_linear(width, size)

    def linears(self) -> tuple[nn.Linear, ...]:
        """The layer's linear maps."""
        return (self.linear,)

    def forward(self, inputs: Tensor, state: LayerState) -> tuple[Tensor, LayerState]:
        """One step."""
        return torch.tanh(self.linear(inputs)), state


class RNNLayer(Layer):
    """tanh units that see their own last output."""

    states = 1

    def __init__(self, width: int, size: int) -> None:
        """``width`` inputs, ``size`` units."""
        super().__init__()
        self.size = size
        self.linear = initialised_linear(width + size, size)

    def linears(self) -> tuple[nn.Linear, ...]:
        """The layer's linear maps."""
        return (self.linear,)

    def forward(self, inputs: Tensor, state: LayerState) -> tuple[Tensor, LayerState]:
        """One step."""
        (hidden,) = state
        hidden = torch.tanh(self.linear(torch.cat([inputs, hidden], dim=-1)))
        return hidden, (hidden,)


class GRULayer(Layer):
    """Gated recurrent units (Cho et al. 2014)."""

    states = 1

    def __init__(self, width: int, size: int) -> None:
        """``width`` inputs, ``size`` units."""
        super().__init__()
        self.size = size
        self.gates = initialised_linear(width + size, 2 * size)
        self.candidate = initialised_linear(width + size, size)

    def linears(self) -> tuple[nn.Linear, ...]:
        """The layer's linear maps."""
        return (self.gates, self.candidate)

    def forward(self, inputs: Tensor, state: LayerState) -> tuple[Tensor, LayerState]:
        """One step."""
        (hidden,) = state
        gates = torch.sigmoid(self.gates(torch.cat([inputs, hidden], dim=-1)))
        update, reset = gates.chunk(2, dim=-1)
        candidate = torch.tanh(self.candidate(torch.cat([inputs, reset * hidden], dim=-1)))
        hidden = update * hidden + (1 - update) * candidate
        return hidden, (hidden,)


class LSTMLayer(Layer):
    """LSTM with forget gates; gates in the order input, forget, cell, output."""

    states = 2

    def __init__(self, width: int, size: int) -> None:
        """``width`` inputs, ``size`` units."""
        super().__init__()
        self.size = size
        self.linear = initialised_linear(width + size, 4 * size)
        # Open forget gates at the start let gradients through (Jozefowicz et al. 2015).
        with torch.no_grad():
            self.linear.bias[size : 2 * size] = 1.0

    def linears(self) -> tuple[nn.Linear, ...]:
        """The layer's linear maps."""
        return (self.linear,)

    def forward(self, inputs: Tensor, state: LayerState) -> tuple[Tensor, LayerState]:
        """One step."""
        hidden, cell = state
        gates = self.linear(torch.cat([inputs, hidden], dim=-1))  # [B, 4 * size]
        write, keep, candidate, show = gates.chunk(4, dim=-1)
        cell = torch.sigmoid(keep) * cell + torch.sigmoid(write) * torch.tanh(candidate)
        hidden = torch.sigmoid(show) * torch.tanh(cell)
        return hidden, (hidden, cell)


LAYERS: dict[str, type[FeedforwardLayer | RNNLayer | GRULayer | LSTMLayer]] = {
    "feedforward": FeedforwardLayer,
    "rnn": RNNLayer,
    "gru": GRULayer,
    "lstm": LSTMLayer,
}


class Controller(nn.Module):
    """A stack of layers of one kind."""

    def __init__(self, kind: str, width: int, size: int, layers: int) -> None:
        """``kind`` is a key of LAYERS; ``width`` inputs, ``layers`` layers of ``size`` units."""
        super().__init__()
        self.layers = nn.ModuleList(
            LAYERS[kind](width if layer == 0 else size, size) for layer in range(layers)
        )
        #: Tensors ``[B, size]`` in each layer's state.
        self.states = LAYERS[kind].states

    def first_linears(self) -> tuple[nn.Linear, ...]:
        """The linear maps of the first layer, which see the input on their first columns."""
        return cast(Layer, self.layers[0]).linears()

    def linears(self) -> list[nn.Linear]:
        """The linear maps of all layers, from the first layer on."""
        return [linear for layer in self.layers for linear in cast(Layer, layer).linears()]

    def forward(
        self, inputs: Tensor, states: tuple[LayerState, ...]
    ) -> tuple[Tensor, tuple[LayerState, ...]]:
        """One step: inputs ``[B, width]`` to outputs ``[B, size]``, and each layer's state."""
        outputs, after = inputs, []
        for layer, state in zip(self.layers, states, strict=True):
            outputs, state = layer(outputs, state)
            after.append(state)
        return outputs, tuple(after)
