"""The DNC of PyPI's ``dnc`` (github.com/ixaxaar/pytorch-dnc)."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ntmbench.bench.peer import Sizes, register_peer


class Fresh(nn.Module):
    """The peer, begun anew with every batch. It answers as widely as it sees; the rest is cut."""

    def __init__(self, net: nn.Module, outputs: int) -> None:
        """Keep the peer's module."""
        super().__init__()
        self.net, self.outputs = net, outputs

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``."""
        logits, _ = self.net(inputs, (None, None, None), reset_experience=True)
        answer: Tensor = logits[..., : self.outputs]
        return answer


@register_peer("dnc", beside="dnc", module="dnc")
def build(package: Any, settings: Any, sizes: Sizes) -> Fresh:
    """The peer's DNC with one LSTM of one layer as its controller."""
    net = package.DNC(
        input_size=sizes.inputs,
        hidden_size=settings.controller_size,
        num_layers=1,
        num_hidden_layers=1,
        batch_first=False,
        nr_cells=settings.memory_slots,
        read_heads=settings.read_heads,
        cell_size=settings.word_size,
    )
    return Fresh(net, sizes.outputs)
