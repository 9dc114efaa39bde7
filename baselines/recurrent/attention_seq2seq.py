"""Encoder-decoder LSTM with attention over the encoder's states (Bahdanau, Cho, Bengio 2015).

It is ``seq2seq`` with one addition: before each step, the decoder looks back at every state of the
encoder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ntmbench.answer import Answer, Bits
from ntmbench.data.ranges import Range, searched
from ntmbench.errors import MAX_LAYERS, MAX_SIZE, ModelError, check_range
from ntmbench.model import SequenceModel
from ntmbench.registry import register_model
from ntmbench.task import Task
from ntmbench.trace import Panel, Signal, Trace

from .lstm import open_forget_gates


@dataclass(frozen=True)
class AttentionSeq2SeqSettings:
    """Settings of the encoder-decoder with attention."""

    #: Units of each layer of the encoder and of the decoder, and of the alignment.
    hidden_size: int = 62
    #: LSTM layers of the encoder, and of the decoder.
    layers: int = field(default=1, metadata=searched(Range(1, 3)))
    #: Whether the decoder is shown the input of its own step too; tasks whose input is not silent
    #: while the answer is asked need it.
    sees_input: bool = False

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range("model.hidden_size", self.hidden_size, 1, MAX_SIZE)
        check_range("model.layers", self.layers, 1, MAX_LAYERS)


class _Step(NamedTuple):
    logits: Tensor  # [B, out]
    attention: Tensor  # [S, B]


@register_model(
    "attention_seq2seq",
    settings=AttentionSeq2SeqSettings,
    width="hidden_size",
    needs_input_phase=True,
)
class AttentionSeq2Seq(SequenceModel):
    """Two LSTMs, an alignment of the decoder with the encoder's states, and a linear output layer.

    With the encoder's states h_j for the S steps of the input phase, and the decoder's states s_i,
    which go on from h_S::

        e_ij = v_a tanh(W_a s_{i-1} + U_a h_j)                         (appendix A.1.2)
        a_ij = softmax over j of e_ij                                  (equation 6)
        c_i  = sum over j of a_ij h_j                                  (equation 5)
        s_i  = LSTM(s_{i-1}, y_{i-1}, c_i)
        y_i  = linear(s_i, y_{i-1}, c_i)                               (equation 4)

    The answer y_{i-1} of the step before is the true one in training (teacher forcing), and
    otherwise its own, thresholded. With ``sees_input`` the inputs of the step, x_i, stand beside
    it, in e_ij too, since they may be what is asked for.

    The paper's encoder reads in both directions, its units are gated recurrent ones, and its output
    has a hidden layer. Here they are as in ``seq2seq``, so that only the attention differs.

    Each step of the answer looks at all S states. So time grows with S (T - S), quadratically with
    T, and the state linearly.
    """

    def __init__(
        self, input_width: int, output_width: int, settings: AttentionSeq2SeqSettings
    ) -> None:
        """Build encoder, alignment, decoder and output layer."""
        super().__init__()
        d, seen = settings.hidden_size, input_width if settings.sees_input else 0
        self.sees_input = settings.sees_input
        self.encoder = nn.LSTM(input_width, d, settings.layers)
        self.align_state = nn.Linear(d + seen, d, bias=False)  # W_a
        self.align_encoded = nn.Linear(d, d, bias=False)  # U_a
        self.score = nn.Linear(d, 1, bias=False)  # v_a
        self.decoder = nn.LSTM(output_width + seen + d, d, settings.layers)
        self.output = nn.Linear(output_width + seen + 2 * d, output_width)
        self.fed_back: Answer = Bits(output_width)
        self.task: Task | None = None
        open_forget_gates(self.encoder)
        open_forget_gates(self.decoder)

    def prepare(self, task: Task) -> None:
        """Learn how an answer is fed back (without a task, as bits), and where it starts."""
        self.fed_back, self.task = task.answer, task

    def state_floats(self, steps: int) -> int:
        """Output and cell of each layer of the decoder, and the encoder's states h_1 to h_S.

        S is known if the task's longest training sequences have so many steps. Otherwise nothing
        tells where the answer starts, and all T steps are counted, which is an upper bound.
        """
        width = self.decoder.hidden_size
        return (2 * self.decoder.num_layers + self._encoded(steps)) * width

    def _encoded(self, steps: int) -> int:
        """The steps that the encoder reads, S, or an upper bound."""
        if self.task is not None:
            longest = self.task.test_set(self.task.length_range[1], 1)
            if len(longest.inputs) == steps:
                return longest.answer_start
        return steps

    def forward(self, inputs: Tensor) -> Tensor:
        """Refuse, since the inputs do not show where the answer starts; see ``answer``."""
        raise ModelError("attention_seq2seq needs to know where the answer starts: call answer().")

    def answer(self, inputs: Tensor, answer_start: int, targets: Tensor | None = None) -> Tensor:
        """Return logits ``[T, B, out]``, zero in the input phase.

        With ``targets [T, B, out]`` the decoder is fed the true previous answer.
        """
        steps = [step.logits for step in self._steps(inputs, answer_start, targets)]
        silence = inputs.new_zeros(answer_start, inputs.shape[1], self.output.out_features)
        return torch.cat([silence, torch.stack(steps)])  # [T, B, out]

    def trace_answer(self, inputs: Tensor, answer_start: int) -> Trace:
        """Run inputs ``[T, B, in]`` without gradients and return where the decoder looked.

        The signal is ``attention [T, B, T]``, zero outside the answer, and ``provenance`` the same.
        """
        length, size, _ = inputs.shape
        attention = inputs.new_zeros(length, size, length)  # [T, B, T]
        logits = inputs.new_zeros(length, size, self.output.out_features)  # [T, B, out]
        with torch.no_grad():
            for number, step in enumerate(self._steps(inputs, answer_start), start=answer_start):
                logits[number] = step.logits
                attention[number, :, :answer_start] = step.attention.T
        panel = Panel("attention", "attention to each step", "weights")
        signals = {"attention": Signal(attention, ("step",))}
        return Trace(logits, signals, (panel,), find_provenance=lambda: attention)

    def _steps(
        self, inputs: Tensor, answer_start: int, targets: Tensor | None = None
    ) -> Iterator[_Step]:
        """What the decoder does at each step of the answer."""
        encoded, state = self.encoder(inputs[:answer_start])  # [S, B, d]
        aligned = self.align_encoded(encoded)  # [S, B, d], once for all steps of the answer
        # [B, out], the start symbol
        previous = inputs.new_zeros(inputs.shape[1], self.output.out_features)
        for number in range(answer_start, len(inputs)):
            asked = inputs[number] if self.sees_input else inputs[number, :, :0]  # [B, seen]
            before = self.align_state(torch.cat([state[0][-1], asked], dim=1))  # [B, d]
            scores = self.score(torch.tanh(before + aligned)).squeeze(2)  # [S, B]
            attention = torch.softmax(scores, dim=0)  # [S, B]
            context = torch.einsum("sb,sbd->bd", attention, encoded)  # [B, d]
            fed = torch.cat([previous, asked, context], dim=1)  # [B, out + seen + d]
            hidden, state = self.decoder(fed.unsqueeze(0), state)  # [1, B, d]
            logits = self.output(torch.cat([hidden[0], fed], dim=1))  # [B, out]
            yield _Step(logits, attention)
            previous = self.fed_back.decide(logits) if targets is None else targets[number]
