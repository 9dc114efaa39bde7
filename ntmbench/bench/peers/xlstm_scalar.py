"""The sLSTM of its authors' package, ``xlstm`` (github.com/NX-AI/xlstm)."""

from __future__ import annotations

import math
from typing import Any

from ntmbench.bench.peer import Sizes, register_peer
from ntmbench.bench.peers.batch_first import BatchFirst


@register_peer("xlstm", beside="slstm", module="xlstm")
def build(package: Any, settings: Any, sizes: Sizes) -> BatchFirst:
    """The peer's blocks, in PyTorch's operations."""
    width = settings.heads * math.ceil(settings.hidden_size / settings.heads)
    block = package.sLSTMBlockConfig(
        slstm=package.sLSTMLayerConfig(
            backend="vanilla",
            conv1d_kernel_size=settings.kernel_size,
            num_heads=settings.heads,
            # Its automatic mixed precision would compute in bfloat16.
            dtype="float32",
            enable_automatic_mixed_precision=False,
        ),
        feedforward=package.FeedForwardConfig(
            proj_factor=4 / 3, act_fn="gelu", round_proj_up_to_multiple_of=1
        ),
    )
    layers = package.xLSTMBlockStack(
        package.xLSTMBlockStackConfig(
            slstm_block=block,
            context_length=sizes.steps,
            num_blocks=settings.layers,
            embedding_dim=width,
        )
    )
    return BatchFirst(layers, width, sizes)
