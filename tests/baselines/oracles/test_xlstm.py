"""mLSTM and sLSTM against the package of their authors, layer by layer."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ntmbench.baselines.linear.blocks import BlockModel
from ntmbench.baselines.linear.slstm import SLSTMMixer
from ntmbench.registry import make_model
from tests.baselines.oracles.mixers import batch_first, check_same, first_mixer, inputs, moved

STEPS, HIDDEN, HEADS = 8, 8, 2


def run(layer: nn.Module, weights: dict[str, Tensor], hidden: Tensor) -> Tensor:
    """Their layer, computed with our weights, so that these get gradients from it.

    ``weights`` has ours by their names and, except for order, in their shapes.
    """
    own = dict(layer.named_parameters())
    assert own.keys() == weights.keys()
    put = {name: weight.reshape(own[name].shape) for name, weight in weights.items()}
    answers = torch.func.functional_call(layer, put, (batch_first(hidden),))
    assert isinstance(answers, Tensor)
    return batch_first(answers)


def test_an_mlstm_layer_is_that_of_its_authors() -> None:
    layers = pytest.importorskip("xlstm.blocks.mlstm.layer", reason="pip install -e .[oracles]")
    mixer: Any = first_mixer("mlstm", hidden_size=HIDDEN, heads=HEADS)
    config = layers.mLSTMLayerConfig(num_heads=HEADS, embedding_dim=HIDDEN, context_length=STEPS)
    # Theirs rounds the inner size to a multiple of 64; the test wants 16.
    config = dataclasses.replace(config)
    config._inner_embedding_dim = HEADS * mixer.size
    weights = {
        "proj_up.weight": mixer.up.weight,
        "conv1d.conv.weight": mixer.convolution.weight,
        "conv1d.conv.bias": mixer.convolution.bias,
        "q_proj.weight": mixer.query.weight,
        "k_proj.weight": mixer.key.weight,
        "v_proj.weight": mixer.value.weight,
        "mlstm_cell.igate.weight": mixer.input_gate.weight,
        "mlstm_cell.igate.bias": mixer.input_gate.bias,
        "mlstm_cell.fgate.weight": mixer.forget_gate.weight,
        "mlstm_cell.fgate.bias": mixer.forget_gate.bias,
        "mlstm_cell.outnorm.weight": mixer.norm.weight - 1,  # to which theirs adds 1
        "learnable_skip": mixer.skip,
        "proj_down.weight": mixer.down.weight,
    }
    hidden = inputs(HIDDEN, STEPS)
    theirs = run(layers.mLSTMLayer(config).double(), weights, hidden)
    check_same(mixer(hidden), theirs, mixer, hidden)


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
    layer = layers.sLSTMLayer(config).double()
    cell = layer.slstm_cell
    recurrent = mixer.recurrent.view(HEADS, HIDDEN // HEADS, 4, HIDDEN // HEADS)
    weights = {
        "conv1d.conv.weight": mixer.convolution.weight,
        "conv1d.conv.bias": mixer.convolution.bias,
        # Theirs calls the first of the four gates fgate, and counts it as the input gate.
        "fgate.weight": mixer.input_gate.weight,
        "igate.weight": mixer.forget_gate.weight,
        "zgate.weight": mixer.cell_input.weight,
        "ogate.weight": mixer.output_gate.weight,
        "slstm_cell._recurrent_kernel_": cell._recurrent_kernel_ext2int(recurrent),
        "slstm_cell._bias_": cell._bias_ext2int(mixer.bias),
        "group_norm.weight": mixer.norm.weight - 1,  # to which theirs adds 1
    }
    hidden = inputs(HIDDEN, STEPS)
    check_same(mixer(hidden), run(layer, weights, hidden), mixer, hidden)


def test_forget_gates_of_the_slstm_start_as_those_of_its_authors() -> None:
    cells = pytest.importorskip("xlstm.blocks.slstm.cell", reason="pip install -e .[oracles]")
    config = cells.sLSTMCellConfig(
        hidden_size=HIDDEN, num_heads=HEADS, backend="vanilla", _block_idx=1, _num_blocks=3
    )
    theirs = cells.sLSTMCell(config)
    ours = SLSTMMixer(HIDDEN, HEADS, 4, depth=0.5)
    expected = theirs._bias_int2ext(theirs._bias_)[:, 1]
    torch.testing.assert_close(ours.bias[:, 1], expected, check_dtype=False)
