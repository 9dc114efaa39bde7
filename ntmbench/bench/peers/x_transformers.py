"""The decoder of ``x-transformers`` (github.com/lucidrains/x-transformers)."""

from __future__ import annotations

import math
from typing import Any

from ntmbench.bench.peer import Sizes, register_peer
from ntmbench.bench.peers.batch_first import BatchFirst


@register_peer("x-transformers", beside="transformer", module="x_transformers")
def build(package: Any, settings: Any, sizes: Sizes) -> BatchFirst:
    """The peer's causal layers, with PyTorch's fused attention as ours."""
    width, heads = settings.hidden_size, settings.heads
    size = 2 * math.ceil(width / (2 * heads))  # of a head, as in ours
    layers = package.Decoder(
        dim=width,
        depth=settings.layers,
        heads=heads,
        attn_dim_head=size,
        attn_flash=True,
        rotary_pos_emb=settings.positions == "rotary",
        rotary_emb_dim=size,
        alibi_pos_bias=settings.positions == "alibi",
        verbose=False,
    )
    return BatchFirst(layers, width, sizes)
