"""mLSTM and sLSTM against the package of their authors, layer by layer."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor

from ntmbench.baselines.linear.blocks import BlockModel
from ntmbench.baselines.linear.slstm import SLSTMMixer
from ntmbench.registry import make_model
from tests.baselines.oracles.mixers import batch_first, check_same, first_mixer, inputs, moved

STEPS, HIDDEN, HEADS = 8, 8, 2


def copy(theirs: Tensor, ours: Tensor) -> None:
    with torch.no_grad():
        theirs.copy_(ours.reshape(theirs.shape))


def test_an_mlstm_layer_is_that_of_its_authors() -> None:
    layers = pytest.importorskip("xlstm.blocks.mlstm.layer", reason="pip install -e .[oracles]")
    mixer: Any = first_mixer("mlstm", hidden_size=HIDDEN, heads=HEADS)
    config = layers.mLSTMLayerConfig(num_heads=HEADS, embedding_dim=HIDDEN, context_length=STEPS)
    # Theirs rounds the inner size to a multiple of 64; the test wants 16.
    config = dataclasses.replace(config)
    config._inner_embedding_dim = HEADS * mixer.size
    theirs = layers.mLSTMLayer(config).double()
    for one, other in (
        (theirs.proj_up.weight, mixer.up.weight),
        (theirs.conv1d.conv.weight, mixer.convolution.weight),
        (theirs.conv1d.conv.bias, mixer.convolution.bias),
        (theirs.q_proj.weight, mixer.query.weight),
        (theirs.k_proj.weight, mixer.key.weight),
        (theirs.v_proj.weight, mixer.value.weight),
        (theirs.mlstm_cell.igate.weight, mixer.input_gate.weight),
        (theirs.mlstm_cell.igate.bias, mixer.input_gate.bias),
        (theirs.mlstm_cell.fgate.weight, mixer.forget_gate.weight),
        (theirs.mlstm_cell.fgate.bias, mixer.forget_gate.bias),
        (theirs.mlstm_cell.outnorm.weight, mixer.norm.weight - 1),
        (theirs.learnable_skip, mixer.skip),
        (theirs.proj_down.weight, mixer.down.weight),
    ):
        copy(one, other)
    hidden = inputs(HIDDEN, STEPS)
    check_same(mixer(hidden), batch_first(theirs(batch_first(hidden))), hidden)


def test_an_slstm_layer_is_that_of_its_authors() -> None:
    layers = pytest.importorskip("xlstm.blocks.slstm.layer", reason="pip install -e .[oracles]")
    model = make_model("slstm", 3, 2, hidden_size=HIDDEN, heads=HEADS)
    assert isinstance(model, BlockModel)
    mixer: Any = moved(model).blocks[0].mixer
    config = layers.sLSTMLayerConfig(
        embedding_dim=HIDDEN,
        num_heads=HEADS,
        backend="vanilla",
        dtype="float32",
        enable_automatic_mixed_precision=False,
    )
    theirs = layers.sLSTMLayer(config).double()
    size = HIDDEN // HEADS
    for one, other in (
        (theirs.conv1d.conv.weight, mixer.convolution.weight),
        (theirs.conv1d.conv.bias, mixer.convolution.bias),
        # Theirs calls the first of the four gates fgate, and counts it as the input gate.
        (theirs.fgate.weight, mixer.input_gate.weight),
        (theirs.igate.weight, mixer.forget_gate.weight),
        (theirs.zgate.weight, mixer.cell_input.weight),
        (theirs.ogate.weight, mixer.output_gate.weight),
        (theirs.group_norm.weight, mixer.norm.weight - 1),
    ):
        copy(one, other)
    cell = theirs.slstm_cell
    recurrent = mixer.recurrent.detach().view(HEADS, size, 4, size)
    cell._recurrent_kernel_.data = cell._recurrent_kernel_ext2int(recurrent)
    cell._bias_.data = cell._bias_ext2int(mixer.bias.detach())
    hidden = inputs(HIDDEN, STEPS)
    check_same(mixer(hidden), batch_first(theirs(batch_first(hidden))), hidden)


def test_forget_gates_of_the_slstm_start_as_those_of_its_authors() -> None:
    cells = pytest.importorskip("xlstm.blocks.slstm.cell", reason="pip install -e .[oracles]")
    config = cells.sLSTMCellConfig(
        hidden_size=HIDDEN, num_heads=HEADS, backend="vanilla", _block_idx=1, _num_blocks=3
    )
    theirs = cells.sLSTMCell(config)
    ours = SLSTMMixer(HIDDEN, HEADS, 4, depth=0.5)
    expected = theirs._bias_int2ext(theirs._bias_)[:, 1]
    torch.testing.assert_close(ours.bias[:, 1], expected, check_dtype=False)
