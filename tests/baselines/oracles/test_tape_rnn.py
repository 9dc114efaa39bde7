"""The Tape-RNN beside a second implementation in plain loops over cells and actions."""

from __future__ import annotations

import torch
from torch import Tensor

from ntmbench.baselines.memory.tape_rnn import TapeRNN, TapeRNNSettings
from ntmbench.registry import make_model

SIZES = {"hidden_size": 5, "cells": 4, "cell_size": 2, "tapes": 2, "writer_size": 3}


def inputs_with_silence() -> Tensor:
    """Two sequences ``[7, 2, 3]``, of which one falls silent after four steps."""
    inputs = torch.randn(7, 2, 3, generator=torch.Generator().manual_seed(0)).double()
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
    model = TapeRNN(3, 2, TapeRNNSettings(**SIZES)).double()
    inputs = inputs_with_silence()
    weights = list(model.parameters())
    pull = torch.randn(7, 2, 2, generator=torch.Generator().manual_seed(1)).double()
    found = []
    for run in (model, lambda shown: in_plain_loops(model, shown)):
        logits = run(inputs)
        found.append([logits, *torch.autograd.grad((logits * pull).sum(), weights)])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


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
