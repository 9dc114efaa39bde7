"""Looped transformer (Yang et al. 2024): one block applied again and again, the input added."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ntmbench.data.ranges import Choice, Range, searched
from ntmbench.errors import MAX_SIZE, check_choice, check_range
from ntmbench.model import SequenceModel
from ntmbench.registry import register_model
from ntmbench.trace import Trace

from .transformer import MAX_HEADS, POSITIONS, Block, attention_trace, scale_summands

MAX_LOOPS = 10_000


@dataclass(frozen=True)
class LoopedTransformerSettings:
    """Settings of the looped transformer."""

    #: Numbers that stand for a step between the loops. The heads share them, each with the same
    #: even number, rounded up.
    hidden_size: int = 70
    #: Attention heads of the block.
    heads: int = field(default=8, metadata=searched(Choice((1, 2, 4, 8))))
    #: How positions are told: none, rotary or alibi.
    positions: str = field(default="rotary", metadata=searched(Choice(POSITIONS)))
    #: How often the block is applied.
    loops: int = field(default=12, metadata=searched(Range(2, 24)))
    #: How often it is applied outside training; 0 for as often as in training.
    test_loops: int = 0

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range("model.hidden_size", self.hidden_size, 1, MAX_SIZE)
        check_range("model.heads", self.heads, 1, MAX_HEADS)
        check_choice("model.positions", self.positions, POSITIONS)
        check_range("model.loops", self.loops, 1, MAX_LOOPS)
        check_range("model.test_loops", self.test_loops, 0, MAX_LOOPS)


@register_model("looped_transformer", settings=LoopedTransformerSettings, width="hidden_size")
class LoopedTransformer(SequenceModel):
    """A block of a transformer that is applied R times, and a linear output layer.

    With inputs x_t and the block F of ``transformer``, in which every step attends to those before
    it::

        e_t = W x_t + b
        z(0) = 0
        z(r) = norm(F(z(r-1) + e))      r from 1 to R
        y_t = V z(R)_t + d

    The paper's block has GPT-2's learned positions, and so an end to its lengths; here they are
    told as in ``transformer``. Its training leaves the first loops without gradients and asks for
    an answer after each of the others; here the last loop answers, and all have gradients.

    Time grows quadratically with T, and the state linearly.

    R may be another one outside training: ``test_loops``. It belongs to a run's identity, since
    weights are selected by the answers outside training. But a trained model, as from ``load_run``,
    can be evaluated with other loops, too: ``model.test_loops = 24``.
    """

    def __init__(
        self, input_width: int, output_width: int, settings: LoopedTransformerSettings
    ) -> None:
        """Build embedding, block and output layer."""
        super().__init__()
        d = settings.hidden_size
        self.train_loops = settings.loops
        self.test_loops = settings.test_loops or settings.loops
        self.embed = nn.Linear(input_width, d)
        self.block = Block(d, settings.heads, settings.positions)
        self.norm = nn.LayerNorm(d, bias=False)
        self.output = nn.Linear(d, output_width)
        scale_summands([self.block])

    @property
    def loops(self) -> int:
        """How often the block is applied, in training or outside it: R."""
        return self.train_loops if self.training else self.test_loops

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``."""
        for seen in self._loops(inputs):
            last = seen
        logits: Tensor = self.output(self.norm(self.block(last)))  # [B, T, out]
        return logits.transpose(0, 1)  # [T, B, out]

    def state_floats(self, steps: int) -> int:
        """The keys and values of all steps, in each loop of those outside training."""
        return self.test_loops * self.block.attention.state_floats(steps)

    def trace(self, inputs: Tensor) -> Trace:
        """Run inputs ``[T, B, in]`` without gradients; a loop is a layer of ``attention_trace``."""
        with torch.no_grad():
            weights = [self.block.weights(seen) for seen in self._loops(inputs)]
            return attention_trace(self(inputs), weights)

    def _loops(self, inputs: Tensor) -> Iterator[Tensor]:
        """What the block is shown in each loop, ``[B, T, d]``."""
        embedded = self.embed(inputs).transpose(0, 1)  # [B, T, d]
        seen = embedded
        for _ in range(self.loops - 1):
            yield seen
            seen = self.norm(self.block(seen)) + embedded
        yield seen
