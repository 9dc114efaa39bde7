"""One step of the Neural Turing Machine: controller, heads and memory.

At each step all heads address the memory that the step before left. Read heads read from that
memory, and then the write heads change it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 (PyTorch's own convention)
from torch import Tensor, nn

from ntmbench.ntm import addressing
from ntmbench.ntm.beginning import initialised_linear
from ntmbench.ntm.controller import Controller, LayerState
from ntmbench.ntm.limits import SOFTPLUS_LIMIT

if TYPE_CHECKING:
    from ntmbench.ntm.settings import NTMSettings


#: Biases of the interpolation gate and of the shift by one slot, of heads that begin in a row: by
#: content go 12 %, and with three shifts 9 in 10 of the rest move on.
ROW_GATE, ROW_SHIFT = -2.0, 3.0


class HeadOutputs(NamedTuple):
    """What the controller asks of the heads at one step.

    H = R + W heads, read heads first; H = R where write heads share the places of read heads.
    """

    keys: Tensor  # [B, H, K], tanh; K = M unless settings.key_size is smaller
    key_strength: Tensor  # [B, H], softplus: beta
    interpolation_gate: Tensor  # [B, H], sigmoid: g
    shift: Tensor  # [B, H, S], softmax: s
    sharpening: Tensor  # [B, H], 1 + softplus: gamma
    erases: Tensor  # [B, W, M], sigmoid
    adds: Tensor  # [B, W, M], tanh


class NTMState(NamedTuple):
    """What one step hands to the next."""

    controller: tuple[LayerState, ...]  # one tuple of [B, controller_size] for each layer
    reads: Tensor  # [B, R, M]
    weightings: Tensor  # [B, H, N], read heads first
    memory: Tensor  # [B, N, M]


class NTMCell(nn.Module):
    """Controller, heads and memory."""

    def __init__(self, input_width: int, settings: NTMSettings) -> None:
        """``input_width`` channels of input."""
        super().__init__()
        self.settings = settings
        heads, writes = settings.heads, settings.write_heads
        words, shifts = settings.word_size, settings.shift_width
        self.controller = Controller(
            settings.controller,
            input_width + settings.read_heads * words,
            settings.controller_size,
            settings.controller_layers,
        )
        with torch.no_grad():
            for linear in self.controller.first_linears():
                linear.weight[:, :input_width] *= settings.input_gain
        # One row of the weight for each number that the heads take: keys, adds; interpolation
        # gates, erases; key strengths, sharpenings; shifts. Those in the same range are
        # neighbours.
        self.head_sizes = [
            heads * settings.compared,
            writes * words,
            heads,
            writes * words,
            heads,
            heads,
            heads * shifts,
        ]
        self.heads = initialised_linear(settings.controller_size, sum(self.head_sizes))
        if settings.row_heads:
            self._begin_in_row()

    def forward(self, inputs: Tensor, state: NTMState) -> tuple[Tensor, HeadOutputs, NTMState]:
        """One step.

        Args:
            inputs: ``[B, input_width]``.
            state: what the step before left.

        Returns:
            The controller's output ``[B, controller_size]``, what the heads were asked to do, and
            the state after the step.
        """
        outputs, controller = self.controller(
            torch.cat([inputs, state.reads.flatten(1)], dim=-1), state.controller
        )
        asked = self.head_outputs(outputs)
        weightings = self.address(asked, state)
        read_weightings = weightings[:, : self.settings.read_heads]
        first_write = self.settings.first_write
        write_weightings = weightings[:, first_write : first_write + self.settings.write_heads]
        reads = addressing.read(state.memory, read_weightings)
        memory = addressing.write(state.memory, write_weightings, asked.erases, asked.adds)
        return outputs, asked, NTMState(controller, reads, weightings, memory)

    def _begin_in_row(self) -> None:
        """Let the first heads that write begin by location, with a shift by one slot."""
        s = self.settings
        writers = slice(s.first_write, s.first_write + s.row_heads)
        _, _, gates, *_, shifts = torch.split(self.heads.bias.detach(), self.head_sizes)
        gates[writers] = ROW_GATE
        shifts.view(s.heads, s.shift_width)[writers, s.shift_width // 2 + 1] = ROW_SHIFT

    def head_outputs(self, outputs: Tensor) -> HeadOutputs:
        """Map the controller's output ``[B, controller_size]`` into the range of each number."""
        heads, writes = self.settings.heads, self.settings.write_heads
        keys, adds, gate, erases, strength, sharpening, shift = self.heads(outputs).split(
            self.head_sizes, dim=-1
        )
        return HeadOutputs(
            keys=torch.tanh(keys.unflatten(-1, (heads, -1))),
            key_strength=F.softplus(strength.clamp(max=SOFTPLUS_LIMIT)),
            interpolation_gate=torch.sigmoid(gate),
            shift=torch.softmax(shift.unflatten(-1, (heads, -1)), dim=-1),
            sharpening=1 + F.softplus(sharpening.clamp(max=SOFTPLUS_LIMIT)),
            erases=torch.sigmoid(erases.unflatten(-1, (writes, -1))),
            adds=torch.tanh(adds.unflatten(-1, (writes, -1))),
        )

    @staticmethod
    def address(asked: HeadOutputs, state: NTMState) -> Tensor:
        """The weightings ``[B, H, N]`` of this step: figure 2 of the paper."""
        compared = state.memory[..., : asked.keys.shape[-1]]
        content = addressing.content_weighting(compared, asked.keys, asked.key_strength)
        gated = addressing.interpolate(content, state.weightings, asked.interpolation_gate)
        shifted = addressing.circular_shift(gated, asked.shift)
        return addressing.sharpen(shifted, asked.sharpening)
