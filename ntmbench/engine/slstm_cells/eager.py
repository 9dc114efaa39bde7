"""The cells of an sLSTM in PyTorch operations, one step after the other."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def run(given: Tensor, recurrent: Tensor) -> Tensor:
    """Outputs ``[T, B, H, S]``; ``slstm_cells`` says of what."""
    output = torch.zeros_like(given[0, :, :, 0])  # [B, H, S]
    cell = weight = output
    largest = torch.full_like(output, -torch.inf)
    outputs = []
    for step in given:  # [B, H, 4, S]
        mixed = (output.unsqueeze(2) @ recurrent).squeeze(2)  # [B, H, 4 S]
        made = step + mixed.view(step.shape)  # [B, H, 4, S]
        opened, kept, new, shown = made.unbind(dim=2)  # i~, f~, z~ and o~, [B, H, S] each
        kept = functional.logsigmoid(kept) + largest
        largest = torch.maximum(opened, kept)
        keep, write = (kept - largest).exp(), (opened - largest).exp()
        cell = keep * cell + write * torch.tanh(new)
        weight = keep * weight + write
        output = torch.sigmoid(shown) * cell / weight
        outputs.append(output)
    return torch.stack(outputs)
