"""Stack-augmented recurrent network (Joulin and Mikolov 2015): a stack moved by soft actions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
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

#: The content of the empty cells below a stack (section 4.2).
EMPTY = -1.0
#: Each initial weight is the sum of three uniform numbers from -BOUND to BOUND.
BOUND = 0.1
MAX_STACKS = 64
MAX_DEPTH = 2**16


@dataclass(frozen=True)
class StackRNNSettings:
    """Settings of the stack-augmented network.

    The sizes are ours. Joulin and Mikolov (2015, section 5) have 40 or 100 units and 10 stacks of
    single numbers, of which 2 cells are read; Delétang et al. (2023, appendix A.2) 256 units and
    one stack, whose cells have 8 numbers.
    """

    #: Units of the hidden layer.
    hidden_size: int = 100
    #: Stacks, each moved by actions of its own.
    stacks: int = field(default=2, metadata=searched(Choice((1, 2, 4))))
    #: Numbers in one cell of a stack.
    cell_size: int = field(default=8, metadata=searched(LogRange(2, 32)))
    #: Cells of a stack; what is pushed beyond them is lost. Tests enlarge it to the length.
    depth: int = 64
    #: Cells from the top of each stack that are read, k. The kernels read one only.
    reads: int = field(default=1, metadata={"added_later": True})
    #: What computes it: fused (kernels, on a CPU and in float32), eager, or auto for the faster one
    #: that can. It does not change the results beyond rounding.
    engine: str = field(default=AUTO, metadata={"identity": False})

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range("model.hidden_size", self.hidden_size, 1, MAX_SIZE)
        check_range("model.stacks", self.stacks, 1, MAX_STACKS)
        check_range("model.cell_size", self.cell_size, 1, MAX_SIZE)
        check_range("model.depth", self.depth, 1, MAX_DEPTH)
        check_range("model.reads", self.reads, 1, self.depth)
        check_choice("model.engine", self.engine, engine_names(engines_of("stack_rnn")))


class _Step(NamedTuple):
    hidden: Tensor  # [B, hidden]
    stack: Tensor  # [B, stacks, depth, cell]
    actions: Tensor  # [B, stacks, 3]: push, pop, stay


@register_model("stack_rnn", settings=StackRNNSettings, width="hidden_size", version=2)
class StackRNN(SequenceModel):
    """A recurrent network that reads the tops of its stacks, and pushes, pops or leaves them.

    With input x_t, hidden state h_t, the stack s_t, whose top is s_t[0], and its k = ``reads`` top
    cells s_t^k (section 4.2 of the paper, with the no-operation added there)::

        h_t    = sigmoid(U x_t + R h_{t-1} + P s_{t-1}^k)                                   (6)
        a_t    = softmax(A h_t)           over push, pop and stay                           (3)
        s_t[0] = a_t[push] sigmoid(D h_t) + a_t[pop] s_{t-1}[1]   + a_t[stay] s_{t-1}[0]    (4)
        s_t[i] = a_t[push] s_{t-1}[i-1]   + a_t[pop] s_{t-1}[i+1] + a_t[stay] s_{t-1}[i]    (5)

    An empty cell holds -1. What differs from the paper:

    - A cell has ``cell_size`` numbers that move together, as in Delétang et al. (2023, appendix
      A.2). The paper's cells are single numbers, as with ``cell_size`` 1.
    - k is 1 by default. The paper has 2 in its experiments.
    - The answer is a linear map of h_t and of the s_t^k that the step leaves, so that what is
      pushed or uncovered at a step can be answered at it. The paper's is one of h_t alone (2).
    - R is learned. The paper sets it to 0 in its algorithmic tasks (section 5.1).
    - The linear maps have biases, which start at 0. The authors' code has none.

    Every weight starts as in the authors' code (``facebookarchive/Stack-RNN``): as the sum of three
    numbers, each uniform between -0.1 and 0.1.
    """

    def __init__(self, input_width: int, output_width: int, settings: StackRNNSettings) -> None:
        """Build the linear maps."""
        super().__init__()
        self.input_width = input_width
        self.settings = settings
        self.depth = settings.depth
        tops = settings.stacks * settings.cell_size
        read = settings.reads * tops
        self.hidden = _linear(input_width + settings.hidden_size + read, settings.hidden_size)
        self.actions = _linear(settings.hidden_size, 3 * settings.stacks)
        self.pushed = _linear(settings.hidden_size, tops)
        self.output = _linear(settings.hidden_size + read, output_width)
        self._said: set[str] = set()  # of engines that cannot run this

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``.

        Raises:
            ValueError: if the inputs are of another shape.
            SettingError: if ``model.engine`` is fused and cannot run this.
        """
        check_shape("StackRNN", inputs, self.input_width)
        engine = choose(engines_of("stack_rnn"), self.settings.engine, self, inputs, self._said)
        return engine.run(self, inputs)

    def layers(self) -> list[nn.Module]:
        """The linear maps in the order of the kernels."""
        return [self.hidden, self.actions, self.pushed, self.output]

    def forward_eager(self, inputs: Tensor) -> Tensor:
        """The same, step by step in PyTorch operations."""
        return self._logits(self._steps(inputs))

    def room_for(self, items: int) -> AbstractContextManager[int]:
        """Deepen the stacks to hold ``items``; yields their depth."""
        return enlarged(self, "depth", items)

    def state_floats(self, steps: int) -> int:
        """The hidden state and all cells."""
        s = self.settings
        return s.hidden_size + s.stacks * self.depth * s.cell_size

    def trace(self, inputs: Tensor) -> Trace:
        """Run inputs ``[T, B, in]`` without gradients and return what the stacks did.

        Signals: ``actions [T, B, stacks, 3]`` (push, pop, stay), ``occupied [T, B, stacks, depth]``
        (the share of each cell that was pushed and not popped), ``tops [T, B, stacks, cell]``.
        ``provenance [T, B, T]`` is that of the cells that the answer sees, read after each step,
        over all stacks; a part of a cell that was never pushed is empty and does not count.
        """
        s, (steps, batch_size, _) = self.settings, inputs.shape
        with torch.no_grad():
            run = list(self._steps(inputs))
            logits = self._logits(run)
            # shares[b, k, i, s]: the share of cell i of stack k that step s pushed.
            shares = inputs.new_zeros(batch_size, s.stacks, self.depth, steps)
            occupied, read = [], []
            for number, step in enumerate(run):
                top = inputs.new_zeros(batch_size, s.stacks, steps)
                top[:, :, number] = 1
                shares = _moved(shares, step.actions, top, empty=0.0)
                occupied.append(shares.sum(dim=3))  # [B, stacks, depth]
                read.append(shares[:, :, : s.reads].mean(dim=(1, 2)))  # [B, T]
        signals = {
            "actions": Signal(torch.stack([step.actions for step in run]), ("stack", "action")),
            "occupied": Signal(torch.stack(occupied), ("stack", "depth")),
            "tops": Signal(torch.stack([step.stack[:, :, 0] for step in run]), ("stack", "number")),
        }
        panels = (
            Panel("actions", "push, pop, stay", "unit"),
            Panel("occupied", "occupied cells, the top first", "weights"),
            Panel("tops", "top of the stack", "signed"),
        )
        return Trace(logits, signals, panels, partial(shares_of, torch.stack(read)))

    def _logits(self, steps: Iterable[_Step]) -> Tensor:
        # Each [B, hidden + stacks reads cell].
        seen = [torch.cat([step.hidden, self._read(step.stack)], dim=1) for step in steps]
        logits: Tensor = self.output(torch.stack(seen))  # [T, B, out]
        return logits

    def _steps(self, inputs: Tensor) -> Iterator[_Step]:
        s, batch_size = self.settings, inputs.shape[1]
        hidden = inputs.new_zeros(batch_size, s.hidden_size)
        stack = inputs.new_full((batch_size, s.stacks, self.depth, s.cell_size), EMPTY)
        for step_inputs in inputs:  # [B, in]
            # [B, in + hidden + stacks reads cell]
            seen = torch.cat([step_inputs, hidden, self._read(stack)], dim=1)
            hidden = torch.sigmoid(self.hidden(seen))  # [B, hidden]
            asked = self.actions(hidden).view(batch_size, s.stacks, 3)  # [B, stacks, 3]
            actions = torch.softmax(asked, dim=2)
            pushed = torch.sigmoid(self.pushed(hidden))  # [B, stacks cell]
            pushed = pushed.view(batch_size, s.stacks, s.cell_size)  # [B, stacks, cell]
            stack = _moved(stack, actions, pushed, EMPTY)  # [B, stacks, depth, cell]
            yield _Step(hidden, stack, actions)

    def _read(self, stack: Tensor) -> Tensor:
        """The top cells ``[B, stacks reads cell]`` of stacks ``[B, stacks, depth, cell]``."""
        return stack[:, :, : self.settings.reads].flatten(1)


def _linear(width: int, size: int) -> nn.Linear:
    """A linear map with its initial weights."""
    linear = nn.Linear(width, size)
    with torch.no_grad():
        linear.weight.copy_(torch.empty(3, size, width).uniform_(-BOUND, BOUND).sum(dim=0))
    nn.init.zeros_(linear.bias)
    return linear


def _moved(stack: Tensor, actions: Tensor, pushed: Tensor, empty: float) -> Tensor:
    """The stacks ``[B, stacks, depth, cell]`` after soft ``actions [B, stacks, 3]``.

    A push puts ``pushed [B, stacks, cell]`` on top; ``empty`` fills the cells below the bottom.
    """
    push, pop, stay = actions[..., None, None].unbind(dim=2)  # each [B, stacks, 1, 1]
    # [B, stacks, 1, cell] above [B, stacks, depth - 1, cell], and the other way round.
    down = torch.cat([pushed.unsqueeze(2), stack[:, :, :-1]], dim=2)
    up = torch.cat([stack[:, :, 1:], torch.full_like(stack[:, :, :1], empty)], dim=2)
    return push * down + pop * up + stay * stack  # [B, stacks, depth, cell]


@register_engine("stack_rnn", rank=0)
class FusedStackRNN(Engine[StackRNN]):
    """Kernels that take a whole sequence, on a CPU."""

    name = "fused"
    modules = ("ntmbench.engine.soft_memory.stack",)

    def obstacle(self, model: StackRNN, inputs: Tensor) -> str | None:
        """What the kernels cannot run.

        Raises:
            ModelError: for inputs of a type or on a device that do not go with the weights.
        """
        if model.settings.reads > 1:
            return "with model.reads above 1"
        return obstacle_to_network("StackRNN", inputs, model.layers())

    def run(self, model: StackRNN, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``."""
        from ntmbench.engine.soft_memory import stack  # Numba takes its time to import

        stacks, weights = model.settings.stacks, weights_of(model.layers())
        return stack.run(inputs, weights, stacks=stacks, depth=model.depth, empty=int(EMPTY))


register_engine("stack_rnn", rank=100)(eager_engine("StackRNN", __name__))
