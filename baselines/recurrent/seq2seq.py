"""Encoder-decoder LSTM (Sutskever, Vinyals, Le 2014) without attention.

The encoder reads the input phase and hands its state to the decoder, which is fed the answer of the
step before: the true one in training (teacher forcing), and otherwise its own, thresholded.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ntmbench.answer import Answer, Bits
from ntmbench.data.ranges import Range, searched
from ntmbench.errors import MAX_LAYERS, MAX_SIZE, ModelError, check_range
from ntmbench.model import SequenceModel
from ntmbench.registry import register_model
from ntmbench.task import Task

from .lstm import open_forget_gates


@dataclass(frozen=True)
class Seq2SeqSettings:
    """Settings of the encoder-decoder baseline."""

    #: Units of each layer, of the encoder and of the decoder.
    hidden_size: int = 82
    #: LSTM layers of the encoder, and of the decoder.
    layers: int = field(default=1, metadata=searched(Range(1, 3)))
    #: Whether the decoder is shown the input of its own step too; tasks whose input is not silent
    #: while the answer is asked need it.
    sees_input: bool = field(default=False, metadata={"added_later": True})

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range("model.hidden_size", self.hidden_size, 1, MAX_SIZE)
        check_range("model.layers", self.layers, 1, MAX_LAYERS)


@register_model("seq2seq", settings=Seq2SeqSettings, width="hidden_size", needs_input_phase=True)
class Seq2Seq(SequenceModel):
    """Two LSTMs and a linear output layer.

    With inputs x_1 to x_S in the input phase, and the answers y_i that are asked for after it::

        h_j, c_j = LSTM(x_j, h_{j-1}, c_{j-1})                      the encoder; h_0 = c_0 = 0
        s_i, d_i = LSTM'(y_{i-1}, s_{i-1}, d_{i-1})                 the decoder; s_0, d_0 = h_S, c_S
        y_i      = V s_i + b                                        y_0 = 0, the start symbol

    Both LSTMs are as in ``lstm``, and each layer hands its own state on. With ``sees_input`` the
    input of the step stands beside y_{i-1}.

    The paper's networks have four layers, read the source backwards, and search for the likeliest
    answer with a beam. None of that is done here.
    """

    def __init__(self, input_width: int, output_width: int, settings: Seq2SeqSettings) -> None:
        """Build encoder, decoder and output layer."""
        super().__init__()
        self.sees_input = settings.sees_input
        self.encoder = nn.LSTM(input_width, settings.hidden_size, settings.layers)
        seen = input_width if settings.sees_input else 0
        self.decoder = nn.LSTM(output_width + seen, settings.hidden_size, settings.layers)
        self.output = nn.Linear(settings.hidden_size, output_width)
        self.fed_back: Answer = Bits(output_width)
        open_forget_gates(self.encoder)
        open_forget_gates(self.decoder)

    def prepare(self, task: Task) -> None:
        """Learn from the task how an answer is fed back; without a task, as bits."""
        self.fed_back = task.answer

    def state_floats(self, steps: int) -> int:
        """Output and cell of each layer of one LSTM: the encoder hands them to the decoder."""
        return 2 * self.decoder.num_layers * self.decoder.hidden_size

    def forward(self, inputs: Tensor) -> Tensor:
        """Refuse, since the inputs do not show where the answer starts; see ``answer``."""
        raise ModelError("seq2seq needs to know where the answer starts: call answer().")

    def answer(self, inputs: Tensor, answer_start: int, targets: Tensor | None = None) -> Tensor:
        """Return logits ``[T, B, out]``, zero in the input phase.

        With ``targets [T, B, out]`` the decoder is fed the true previous answer.
        """
        steps, batch_size, _ = inputs.shape
        width = self.output.out_features
        _, state = self.encoder(inputs[:answer_start])  # two of [layers, B, hidden]
        first = inputs.new_zeros(1, batch_size, width)  # the decoder's start symbol
        silence = inputs.new_zeros(answer_start, batch_size, width)  # [S, B, out]
        asked = inputs[answer_start:]  # [T - S, B, in]
        if not self.sees_input:
            asked = asked[:, :, :0]  # [T - S, B, 0]
        if targets is not None:
            fed = torch.cat([first, targets[answer_start:-1]])  # [T - S, B, out]
            hidden, _ = self.decoder(torch.cat([fed, asked], dim=2), state)  # [T - S, B, hidden]
            return torch.cat([silence, self.output(hidden)])  # [T, B, out]
        answers = [silence]
        previous = first
        for step in range(steps - answer_start):
            fed = torch.cat([previous, asked[step : step + 1]], dim=2)  # [1, B, out + seen]
            hidden, state = self.decoder(fed, state)  # [1, B, hidden]
            logits = self.output(hidden)  # [1, B, out]
            answers.append(logits)
            previous = self.fed_back.decide(logits)
        return torch.cat(answers)  # [T, B, out]
