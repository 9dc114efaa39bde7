"""What the NTM's memory did at every step."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class NTMTrace:
    """What the external memory did at every step of T, for B sequences.

    R read and W write heads, N slots of M numbers, S allowed shifts (odd, centred on no shift).
    Of the gates, the read heads come first and then the write heads: H = R + W.
    """

    logits: Tensor  # [T, B, out]
    read_weightings: Tensor  # [T, B, R, N]
    write_weightings: Tensor  # [T, B, W, N]
    reads: Tensor  # [T, B, R, M]
    erases: Tensor  # [T, B, W, M]
    adds: Tensor  # [T, B, W, M]
    memory: Tensor  # [T, B, N, M], after the step's writes
    key_strength: Tensor  # [T, B, H]
    interpolation_gate: Tensor  # [T, B, H]
    shift: Tensor  # [T, B, H, S]
    sharpening: Tensor  # [T, B, H]
