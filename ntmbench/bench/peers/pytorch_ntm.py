"""The much-used PyTorch NTM (github.com/loudinthecloud/pytorch-ntm), from the user's own checkout.

Only its public interface is known here: ``ntm.aio.EncapsulatedNTM``, one call per step. It asks for
probabilities in the answer phase only, by calls without an input, and applies its heads in pairs.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ntmbench.bench.peer import Sizes, register_peer
from ntmbench.model import SequenceModel
from ntmbench.ntm.settings import NTMSettings


class StepByStep(SequenceModel):
    """The peer's NTM under the contract of ours."""

    def __init__(self, net: Any) -> None:
        """Keep an ``EncapsulatedNTM``."""
        super().__init__()
        self.net = net

    def answer(self, inputs: Tensor, answer_start: int, targets: Tensor | None = None) -> Tensor:
        """Logits ``[T, B, out]`` for inputs ``[T, B, in]``; zeros before the answer."""
        steps, batch_size, _ = inputs.shape
        self.net.init_sequence(batch_size)
        for shown in inputs[:answer_start]:
            self.net(shown)
        answers = torch.stack([self.net()[0] for _ in range(steps - answer_start)])
        before = answers.new_zeros(answer_start, *answers.shape[1:])
        return torch.cat([before, torch.logit(answers)])


@register_peer(
    "pytorch-ntm",
    beside="ntm",
    module="ntm.aio",
    repository="github.com/loudinthecloud/pytorch-ntm",
)
def build(aio: Any, settings: NTMSettings, sizes: Sizes) -> StepByStep:
    """The peer's NTM, with an LSTM as its controller."""
    net = aio.EncapsulatedNTM(
        sizes.inputs,
        sizes.outputs,
        settings.controller_size,
        settings.controller_layers,
        settings.read_heads,  # pairs of a read and a write head
        settings.memory_slots,
        settings.word_size,
    )
    return StepByStep(net)
