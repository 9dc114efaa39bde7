"""The transformer beside x-transformers with the same weights, and what its positions promise."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ntmbench.errors import SettingError
from ntmbench.registry import make_model
from tests.baselines.oracles.comparing import (
    INPUTS,
    OUTPUTS,
    assert_same,
    double_inputs,
    double_model,
)

WIDTH, HEADS = 18, 3  # no power of two, so that ALiBi has slopes between
POSITIONS = ("none", "rotary", "alibi")


def oracle_of(model: Any, positions: str) -> Any:
    """The decoder of x-transformers with the weights of ``model``: the same objects.

    Where it computes in float32 it is told to do so in float64. It keeps the scale of a norm less 1
    and adds 1 where it is used, which is left out here.
    """
    x_transformers = pytest.importorskip("x_transformers", reason="needs the extra 'oracles'")
    size = WIDTH // HEADS
    decoder = x_transformers.Decoder(
        dim=WIDTH,
        depth=2,
        heads=HEADS,
        attn_dim_head=size,
        rotary_pos_emb=positions == "rotary",
        rotary_emb_dim=size,
        alibi_pos_bias=positions == "alibi",
        verbose=False,
    ).double()
    if positions == "rotary":
        turns = 10_000.0 ** -(torch.arange(0, size, 2, dtype=torch.float64) / size)
        decoder.rotary_pos_emb.inv_freq = turns
    for part in decoder.modules():
        if hasattr(part, "unit_offset"):
            part.unit_offset = False
        if hasattr(part, "attn_fn"):
            part.attn_fn = partial(torch.softmax, dim=-1)

    def tie(theirs: Any, ours: nn.Module, names: tuple[str, ...] = ("weight",)) -> None:
        for name in names:
            weight = getattr(ours, "bias" if name == "bias" else "weight")
            assert getattr(theirs, name).shape == weight.shape
            setattr(theirs, name, weight)

    tie(decoder.final_norm, model.norm, ("gamma",))
    for number, block in enumerate(model.blocks):
        (norm, *_), attention, _ = decoder.layers[2 * number]
        tie(norm, block.attention_norm, ("gamma",))
        tie(attention.to_q, block.attention.query)
        tie(attention.to_k, block.attention.key)
        tie(attention.to_v, block.attention.value)
        tie(attention.to_out, block.attention.merge)
        (norm, *_), feedforward, _ = decoder.layers[2 * number + 1]
        tie(norm, block.feedforward_norm, ("gamma",))
        tie(feedforward.ff[0][0], block.widen, ("weight", "bias"))
        tie(feedforward.ff[2], block.narrow, ("weight", "bias"))
    return decoder


@pytest.mark.parametrize("positions", POSITIONS)
def test_transformer_is_that_of_x_transformers(positions: str) -> None:
    model = double_model("transformer", hidden_size=WIDTH, heads=HEADS, positions=positions)
    decoder = oracle_of(model, positions)

    def theirs(inputs: Tensor) -> Tensor:
        hidden = decoder(model.embed(inputs).transpose(0, 1))
        logits: Tensor = model.output(hidden).transpose(0, 1)
        return logits

    assert_same(model, model, theirs)


@pytest.mark.parametrize("positions", POSITIONS)
def test_trace_has_the_weights_that_were_used(positions: str) -> None:
    """Values weighted by hand are what the layer reads."""
    model = double_model("transformer", hidden_size=9, heads=2, layers=1, positions=positions)
    attention = model.trace(double_inputs())["attention"]  # [T, B, H, T]
    assert torch.allclose(attention.sum(3), torch.ones_like(attention[..., 0]))
    layer = model.blocks[0].attention
    seen = model.blocks[0].attention_norm(model.embed(double_inputs()))  # [T, B, d]
    values = layer.value(seen).unflatten(2, (2, -1))  # [T, B, H, c]
    read = torch.einsum("tbhs,sbhc->tbhc", attention, values)
    expected = layer.merge(read.flatten(2)).transpose(0, 1)
    assert torch.allclose(layer(seen.transpose(0, 1)), expected)


def test_without_positions_the_order_of_earlier_steps_says_nothing() -> None:
    inputs = double_inputs()
    exchanged = inputs[[2, 0, 1, *range(3, len(inputs))]]
    for positions in POSITIONS:
        model = double_model("transformer", hidden_size=8, layers=1, positions=positions)
        same = torch.allclose(model(inputs)[3:], model(exchanged)[3:])
        assert same == (positions == "none"), positions


@pytest.mark.parametrize("positions", POSITIONS)
def test_attention_keeps_nothing_quadratic(positions: str) -> None:
    """PyTorch's flash kernel, which takes no matrix of T by T, accepts what it is given."""
    model = make_model("transformer", INPUTS, OUTPUTS, hidden_size=8, positions=positions)
    kept: list[int] = []

    def size(saved: Tensor) -> Tensor:
        kept.append(saved.numel())
        return saved

    inputs = torch.randn(600, 1, INPUTS, generator=torch.Generator().manual_seed(0))
    with (
        sdpa_kernel(SDPBackend.FLASH_ATTENTION),
        torch.autograd.graph.saved_tensors_hooks(size, lambda saved: saved),
    ):
        logits = model(inputs)
    assert torch.isfinite(logits).all()
    assert max(kept) <= 600 * 4 * 8


def test_unknown_positions_are_refused() -> None:
    with pytest.raises(SettingError, match=r"positions=rotry is not.*Did you mean 'rotary'"):
        make_model("transformer", INPUTS, OUTPUTS, positions="rotry")
