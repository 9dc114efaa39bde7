"""Tape-RNN (Delétang et al. 2023): a recurrent network with tapes moved by soft actions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from math import sqrt
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ntmbench.data.ranges import Choice, LogRange, searched
from ntmbench.engine.contract import AUTO, Engine, choose, engine_names
from ntmbench.engine.inputs import check_shape
from ntmbench.engine.operations import eager_engine
from ntmbench.engine.soft_memory.obstacle import obstacle_to_network, weights_of
from ntmbench.errors import MAX_SIZE, check_choice, check_range
from ntmbench.model import SequenceModel, enlarged
from ntmbench.provenance import shares_of
from ntmbench.registry import engines_of, register_engine, register_model
from ntmbench.trace import Panel, Signal, Trace

MAX_TAPES = 64
MAX_CELLS = 2**16
#: Standard deviations at which the initial weights are cut off.
CUT = 2.0


@dataclass(frozen=True)
class TapeRNNSettings:
    """Settings of the Tape-RNN.

    The widths are those of Delétang et al. (2023): appendix A.2, and for ``writer_size`` their
    code. Their tapes have 256 cells in training; tests enlarge theirs too.
    """

    #: Units of the hidden layer.
    hidden_size: int = 256
    #: Tapes, each moved by actions of its own.
    tapes: int = field(default=1, metadata=searched(Choice((1, 2, 4))))
    #: Numbers in one cell of a tape.
    cell_size: int = field(default=8, metadata=searched(LogRange(2, 32)))
    #: Units in each of the two layers between the hidden layer and what is written.
    writer_size: int = 64
    #: Cells of a tape, a ring. Tests enlarge it to the length.
    cells: int = 64
    #: What computes it: fused (kernels, on a CPU and in float32), eager, or auto for the faster one
    #: that can. It does not change the results beyond rounding.
    engine: str = field(default=AUTO, metadata={"identity": False})

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range("model.hidden_size", self.hidden_size, 1, MAX_SIZE)
        check_range("model.tapes", self.tapes, 1, MAX_TAPES)
        check_range("model.cell_size", self.cell_size, 1, MAX_SIZE)
        check_range("model.writer_size", self.writer_size, 1, MAX_SIZE)
        check_range("model.cells", self.cells, 2, MAX_CELLS)
        check_choice("model.engine", self.engine, engine_names(engines_of("tape_rnn")))


class _Step(NamedTuple):
    hidden: Tensor  # [B, hidden]
    tape: Tensor  # [B, tapes, cells, cell], after the step
    actions: Tensor  # [B, tapes, 5]: stay, left, right, jump left, jump right
    jump: Tensor  # [B], cells that a jump takes


@register_model("tape_rnn", settings=TapeRNNSettings, width="hidden_size", version=2)
class TapeRNN(SequenceModel):
    """A recurrent network that writes the cell under the head of a tape, and moves the head.

    With input x_t, hidden state h_t and the tape s_t, whose cell under the head is s_t[0], and with
    cells counted around a ring (Delétang et al. 2023, appendix A.2, which has no equations; these
    are those of the authors' code, ``tape_rnn.py`` of
    ``google-deepmind/neural_networks_chomsky_hierarchy``)::

        h_t = relu(U x_t + R h_{t-1} + P s_{t-1}[0])
        a_t = softmax(A h_t)        over stay, left, right, jump left and jump right
        w   = s_{t-1} with MLP(h_t) in place of s_{t-1}[0]
        s_t[i] = a_t[stay] w[i] + a_t[left] w[i-1] + a_t[right] w[i+1]
                 + a_t[jump left] w[i-J] + a_t[jump right] w[i+J]

    MLP has two layers of rectified units and a linear one. The tape starts at 0, and the answer is
    a linear map of h_t. A jump writes too; by the paper's text it does not.

    Weights start as those of the code, by Haiku's defaults: biases at 0, and a map of n numbers
    with normal weights of deviation 1 / sqrt(n), cut off at two deviations. Haiku's ``VanillaRNN``
    has a map of [x_t, s_{t-1}[0]] and one of h_{t-1}, each with an n and a bias of its own. Here
    they are one map, whose weights are drawn as those of the two, and which has one bias.

    J is the length of the input there, which the network is told. Here it finds it in the input:
    J is the number of steps before the last one so far at which the input was not silent. In a
    task whose answer begins after a delimiter that is the number of items before the delimiter.
    """

    def __init__(self, input_width: int, output_width: int, settings: TapeRNNSettings) -> None:
        """Build the linear maps."""
        super().__init__()
        self.input_width = input_width
        self.settings = settings
        self.cells = settings.cells
        heads = settings.tapes * settings.cell_size
        self.hidden = _hidden_linear(input_width, settings.hidden_size, heads)
        self.actions = _linear(settings.hidden_size, 5 * settings.tapes)
        self.writer = nn.Sequential(
            _linear(settings.hidden_size, settings.writer_size),
            nn.ReLU(),
            _linear(settings.writer_size, settings.writer_size),
            nn.ReLU(),
            _linear(settings.writer_size, heads),
        )
        self.output = _linear(settings.hidden_size, output_width)
        self._said: set[str] = set()  # of engines that cannot run this

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``.

        Raises:
            ValueError: if the inputs are of another shape.
            SettingError: if ``model.engine`` is fused and cannot run this.
        """
        check_shape("TapeRNN", inputs, self.input_width)
        engine = choose(engines_of("tape_rnn"), self.settings.engine, self, inputs, self._said)
        return engine.run(self, inputs)

    def layers(self) -> list[nn.Module]:
        """The layers in the order of the kernels."""
        return [self.hidden, self.actions, self.writer, *self.writer, self.output]

    def forward_eager(self, inputs: Tensor) -> Tensor:
        """The same, step by step in PyTorch operations."""
        return self._logits(self._steps(inputs))

    def room_for(self, items: int) -> AbstractContextManager[int]:
        """Lengthen the tapes to hold ``items``; yields their number of cells."""
        return enlarged(self, "cells", items)

    def state_floats(self, steps: int) -> int:
        """The hidden state, all cells, and J."""
        s = self.settings
        return s.hidden_size + s.tapes * self.cells * s.cell_size + 1

    def trace(self, inputs: Tensor) -> Trace:
        """Run inputs ``[T, B, in]`` without gradients and return what the tapes did.

        Signals: ``actions [T, B, tapes, 5]`` (stay, left, right, jump left, jump right), ``jump
        [T, B]`` (cells that a jump takes), ``heads [T, B, tapes, cells]`` (where the head is after
        the step, with the cells numbered from where it began), ``under_head [T, B, tapes, cell]``
        (what the step sees there). ``provenance [T, B, T]`` is that of the cells under the heads
        when the step begins, over all tapes; cells that were never written do not count.
        """
        s, (steps, batch_size, _) = self.settings, inputs.shape
        with torch.no_grad():
            run = list(self._steps(inputs))
            logits = self._logits(run)
            # shares[b, k, i, s]: the share of cell i of tape k that step s wrote.
            shares = inputs.new_zeros(batch_size, s.tapes, self.cells, steps)
            # The tape moves under the head; head[b, k, i]: whether the cell that was under the
            # head at first is now i cells to the right of it.
            head = inputs.new_zeros(batch_size, s.tapes, self.cells, 1)
            head[:, :, 0] = 1
            under_head = inputs.new_zeros(batch_size, s.tapes, s.cell_size)
            read, heads, under = [], [], []
            for number, step in enumerate(run):
                read.append(shares[:, :, 0].sum(dim=1))  # [B, T]
                under.append(under_head)
                written = inputs.new_zeros(batch_size, s.tapes, steps)
                written[:, :, number] = 1
                shares = _moved(_written(shares, written), step.actions, step.jump)
                head = _moved(head, step.actions, step.jump)
                # A cell i to the right of the head: the head is i cells to the left of it.
                heads.append(_mirrored(head.squeeze(3)))  # [B, tapes, cells]
                under_head = step.tape[:, :, 0]  # [B, tapes, cell]
        signals = {
            "actions": Signal(torch.stack([step.actions for step in run]), ("tape", "action")),
            "jump": Signal(torch.stack([step.jump for step in run])),
            "heads": Signal(torch.stack(heads), ("tape", "cell")),
            "under_head": Signal(torch.stack(under), ("tape", "number")),
        }
        panels = (
            Panel("actions", "stay, left, right, jump left, jump right", "unit"),
            Panel("heads", "place of the head", "weights", circular=True),
            Panel("under_head", "cell under the head", "signed"),
        )
        return Trace(logits, signals, panels, partial(shares_of, torch.stack(read)))

    def _logits(self, steps: Iterable[_Step]) -> Tensor:
        logits: Tensor = self.output(torch.stack([step.hidden for step in steps]))  # [T, B, out]
        return logits

    def _steps(self, inputs: Tensor) -> Iterator[_Step]:
        s, batch_size = self.settings, inputs.shape[1]
        hidden = inputs.new_zeros(batch_size, s.hidden_size)
        tape = inputs.new_zeros(batch_size, s.tapes, self.cells, s.cell_size)
        for step_inputs, jump in zip(inputs, _jumps(inputs), strict=True):  # [B, in], [B]
            # [B, in + hidden + tapes cell]
            seen = torch.cat([step_inputs, hidden, tape[:, :, 0].flatten(1)], dim=1)
            hidden = torch.relu(self.hidden(seen))  # [B, hidden]
            asked = self.actions(hidden).view(batch_size, s.tapes, 5)  # [B, tapes, 5]
            actions = torch.softmax(asked, dim=2)
            written = self.writer(hidden)  # [B, tapes cell]
            written = written.view(batch_size, s.tapes, s.cell_size)  # [B, tapes, cell]
            tape = _moved(_written(tape, written), actions, jump)  # [B, tapes, cells, cell]
            yield _Step(hidden, tape, actions, jump)


def _linear(width: int, size: int) -> nn.Linear:
    """A linear map that starts as those of Haiku: truncated normal weights and zero biases."""
    linear = nn.Linear(width, size)
    deviation = 1 / sqrt(width)
    nn.init.trunc_normal_(linear.weight, std=deviation, a=-CUT * deviation, b=CUT * deviation)
    nn.init.zeros_(linear.bias)
    return linear


def _hidden_linear(shown: int, units: int, heads: int) -> nn.Linear:
    """The map of ``[x, h, cells under the heads]`` to the hidden layer, drawn as two maps."""
    seen, own = _linear(shown + heads, units), _linear(units, units)
    joined = nn.Linear(shown + units + heads, units)
    x, cells = torch.split(seen.weight, [shown, heads], dim=1)  # [units, shown], [units, heads]
    with torch.no_grad():
        joined.weight.copy_(torch.cat([x, own.weight, cells], dim=1))
    nn.init.zeros_(joined.bias)
    return joined


def _jumps(inputs: Tensor) -> Tensor:
    """The number ``[T, B]`` of steps before the last one so far at which the input was not silent.

    It is 0 before any such step.
    """
    step = torch.arange(len(inputs), device=inputs.device).unsqueeze(1)  # [T, 1]
    shown = torch.where((inputs != 0).any(dim=2), step, 0)  # [T, B]
    return shown.cummax(dim=0).values  # [T, B]


def _written(tape: Tensor, values: Tensor) -> Tensor:
    """The tapes ``[B, tapes, cells, cell]`` with ``values [B, tapes, cell]`` under the head."""
    # [B, tapes, 1, cell] before [B, tapes, cells - 1, cell]
    return torch.cat([values.unsqueeze(2), tape[:, :, 1:]], dim=2)


def _moved(tape: Tensor, actions: Tensor, jump: Tensor) -> Tensor:
    """The tapes ``[B, tapes, cells, cell]`` under the head, after it has moved.

    ``actions [B, tapes, 5]`` are soft, and ``jump [B]`` is the number of cells that a jump takes.
    """
    # Each [B, tapes, 1, 1].
    stay, left, right, jump_left, jump_right = actions[..., None, None].unbind(dim=2)
    return (
        stay * tape
        + left * tape.roll(1, dims=2)
        + right * tape.roll(-1, dims=2)
        + jump_left * _rolled(tape, jump)
        + jump_right * _rolled(tape, -jump)
    )


def _rolled(tape: Tensor, places: Tensor) -> Tensor:
    """The tapes ``[B, tapes, cells, cell]`` rolled by ``places [B]``, each sequence by its own."""
    cells = torch.arange(tape.shape[2], device=tape.device)  # [cells]
    source = (cells - places.unsqueeze(1)) % len(cells)  # [B, cells]
    everywhere = source[:, None, :, None].expand_as(tape)  # [B, tapes, cells, cell]
    return tape.gather(2, everywhere)


def _mirrored(cells: Tensor) -> Tensor:
    """A ring ``[..., cells]`` in which cell i has gone to cell -i."""
    return cells.flip(-1).roll(1, dims=-1)


@register_engine("tape_rnn", rank=0)
class FusedTapeRNN(Engine[TapeRNN]):
    """Kernels that take a whole sequence, on a CPU."""

    name = "fused"
    modules = ("ntmbench.engine.soft_memory.tape",)

    def obstacle(self, model: TapeRNN, inputs: Tensor) -> str | None:
        """What the kernels cannot run.

        Raises:
            ModelError: for inputs of a type or on a device that do not go with the weights.
        """
        return obstacle_to_network("TapeRNN", inputs, model.layers())

    def run(self, model: TapeRNN, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``."""
        from ntmbench.engine.soft_memory import tape  # Numba takes its time to import

        tapes, weights = model.settings.tapes, weights_of(model.layers())
        return tape.run(inputs, weights, _jumps(inputs), tapes=tapes, cells=model.cells)


register_engine("tape_rnn", rank=100)(eager_engine("TapeRNN", __name__))
