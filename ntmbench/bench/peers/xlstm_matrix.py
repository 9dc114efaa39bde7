"""The mLSTM of its authors' package, ``xlstm`` (github.com/NX-AI/xlstm)."""

from __future__ import annotations

import math
from typing import Any

from ntmbench.bench.peer import Sizes, register_peer
from ntmbench.bench.peers.batch_first import BatchFirst

#: Channels that queries, keys and values share linear maps of, as in the paper.
GROUP = 4


@register_peer("xlstm", beside="mlstm", module="xlstm")
def build(package: Any, settings: Any, sizes: Sizes) -> BatchFirst:
    """The peer's blocks, whose form is the parallel one."""
    width = settings.hidden_size
    block = package.mLSTMBlockConfig(
        mlstm=package.mLSTMLayerConfig(
            conv1d_kernel_size=settings.kernel_size,
            num_heads=settings.heads,
            proj_factor=settings.expansion,
            round_proj_up_to_multiple_of=math.lcm(GROUP, settings.heads),
            qkv_proj_blocksize=GROUP,
        )
    )
    layers = package.xLSTMBlockStack(
        package.xLSTMBlockStackConfig(
            mlstm_block=block,
            context_length=sizes.steps,
            num_blocks=settings.layers,
            embedding_dim=width,
        )
    )
    return BatchFirst(layers, width, sizes)
