"""The Tape-RNN beside a second implementation in plain loops over cells and actions."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ntmbench.baselines.memory.tape_rnn import TapeRNN
from ntmbench.registry import make_model
from tests.baselines.oracles.comparing import OUTPUTS, double_inputs, double_model

SIZES = {"hidden_size": 5, "cells": 4, "cell_size": 2, "tapes": 2, "writer_size": 3}


def inputs_with_silence() -> Tensor:
    """Two sequences ``[7, 2, in]``, of which one falls silent after four steps."""
    inputs = double_inputs(7)
    inputs[4:, 1] = 0
    return inputs


def in_plain_loops(model: TapeRNN, inputs: Tensor) -> Tensor:
    """The logits ``[T, B, out]``, one sequence, tape and cell at a time."""
    s = model.settings
    logits = torch.zeros(len(inputs), inputs.shape[1], model.output.out_features).double()
    for b in range(inputs.shape[1]):
        hidden = torch.zeros(s.hidden_size).double()
        tapes = [[torch.zeros(s.cell_size).double()] * s.cells for _ in range(s.tapes)]
        jump = 0
        for t, shown in enumerate(inputs[:, b]):
            if bool(shown.any()):
                jump = t
            under = [tape[0] for tape in tapes]
            hidden = model.hidden(torch.cat([shown, hidden, *under])).clamp(min=0)
            asked = model.actions(hidden)
            values = model.writer(hidden)
            for k in range(s.tapes):
                chances = asked[5 * k : 5 * k + 5].softmax(0)
                written = [values[k * s.cell_size : (k + 1) * s.cell_size], *tapes[k][1:]]
                moves = (0, -1, 1, -jump, jump)  # of the head
                tapes[k] = [
                    sum(
                        (
                            chance * written[(i + move) % s.cells]
                            for chance, move in zip(chances, moves, strict=True)
                        ),
                        torch.zeros(s.cell_size).double(),
                    )
                    for i in range(s.cells)
                ]
            logits[t, b] = model.output(hidden)
    return logits


def test_same_outputs_and_gradients() -> None:
    model = double_model("tape_rnn", **SIZES)
    inputs = inputs_with_silence().requires_grad_()
    leaves = [inputs, *model.parameters()]
    pull = torch.randn(7, 2, OUTPUTS, generator=torch.Generator().manual_seed(1)).double()
    found = []
    for run in (model, lambda shown: in_plain_loops(model, shown)):
        logits = run(inputs)
        found.append([logits, *torch.autograd.grad((logits * pull).sum(), leaves)])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_state_floats_is_all_that_a_step_hands_to_the_next() -> None:
    """The hidden layer, two tapes of four cells of two numbers, and the length of a jump."""
    assert double_model("tape_rnn", **SIZES).state_floats(7) == 5 + 2 * 4 * 2 + 1


def test_weights_start_as_those_of_two_maps() -> None:
    """One of the input and the cells under the heads, one of the hidden layer's own state."""
    inputs, units, heads = 4, 200, 6
    model = make_model("tape_rnn", inputs, 2, hidden_size=units, tapes=2, cell_size=3)
    assert isinstance(model, TapeRNN)
    x, h, cells = model.hidden.weight.detach().split([inputs, units, heads], dim=1)
    for part, width in ((x, inputs + heads), (h, units), (cells, inputs + heads)):
        scaled = part * width**0.5
        assert 1.9 < scaled.abs().max() <= 2.0001
        # A normal number that is cut off at two deviations.
        assert scaled.std() == pytest.approx(0.8796, abs=0.05)
    assert not model.hidden.bias.any()


def test_heads_are_where_the_actions_take_them() -> None:
    model = make_model("tape_rnn", 3, 2, hidden_size=4, cells=6, cell_size=2)
    assert isinstance(model, TapeRNN)
    with torch.no_grad():
        model.actions.weight.zero_()
        model.actions.bias.copy_(torch.tensor([0.0, 0.0, 100.0, 0.0, 0.0]))  # right
    right = model.trace(torch.zeros(4, 1, 3))
    assert right["heads"][:, 0, 0].argmax(dim=1).tolist() == [1, 2, 3, 4]
    with torch.no_grad():
        model.actions.bias.copy_(torch.tensor([0.0, 0.0, 0.0, 100.0, 0.0]))  # jump left
    inputs = torch.ones(3, 1, 3)
    jump = model.trace(inputs)
    assert jump["jump"][:, 0].tolist() == [0, 1, 2]
    assert jump["heads"][:, 0, 0].argmax(dim=1).tolist() == [0, 5, 3]
    # The last step sees the cell that it left for cell 5; nothing was ever written there.
    assert jump.provenance is not None
    assert jump.provenance[:, 0].argmax(dim=1).tolist() == [0, 0, 0]
    assert jump.provenance[2].sum() == 0
    assert jump.provenance[1, 0].tolist() == [1, 0, 0]
