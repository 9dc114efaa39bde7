"""The stack-augmented network beside a second implementation in plain loops over its stacks."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ntmbench.baselines.memory.stack_rnn import EMPTY, StackRNN, StackRNNSettings
from ntmbench.data.identity import identity_of
from ntmbench.errors import SettingError
from ntmbench.registry import make_model
from tests.baselines.oracles.comparing import (
    INPUTS,
    OUTPUTS,
    STEPS,
    assert_same,
    double_inputs,
    double_model,
)

SIZES = {"hidden_size": 5, "stacks": 2, "cell_size": 3, "depth": 3}
PUSH, POP, STAY = range(3)


def in_plain_loops(model: StackRNN, inputs: Tensor) -> Tensor:
    """The logits ``[T, B, out]``, one sequence, stack, cell and action at a time."""
    logits = [one_sequence(model, inputs[:, b]) for b in range(inputs.shape[1])]
    return torch.stack(logits, dim=1)


def one_sequence(model: StackRNN, inputs: Tensor) -> Tensor:
    """The logits ``[T, out]`` of inputs ``[T, in]``; a stack is a list of cells, the top first."""
    s = model.settings
    empty = torch.full((s.cell_size,), -1.0, dtype=inputs.dtype)
    hidden = inputs.new_zeros(s.hidden_size)
    stacks = [[empty] * s.depth for _ in range(s.stacks)]
    u, r, p = model.hidden.weight.split(
        [INPUTS, s.hidden_size, s.stacks * s.reads * s.cell_size], 1
    )
    logits = []
    for x in inputs:
        read = torch.cat([cell for stack in stacks for cell in stack[: s.reads]])
        hidden = (u @ x + r @ hidden + p @ read + model.hidden.bias).sigmoid()
        asked = model.actions(hidden)
        pushed = model.pushed(hidden).sigmoid()
        for k in range(s.stacks):
            before = stacks[k]
            value = pushed[k * s.cell_size : (k + 1) * s.cell_size]
            after = {PUSH: [value, *before[:-1]], POP: [*before[1:], empty], STAY: before}
            chances = asked[3 * k : 3 * k + 3].exp() / asked[3 * k : 3 * k + 3].exp().sum()
            stacks[k] = []
            for i in range(s.depth):
                cell = torch.zeros_like(empty)
                for action, cells in after.items():
                    cell = cell + chances[action] * cells[i]
                stacks[k].append(cell)
        read = torch.cat([cell for stack in stacks for cell in stack[: s.reads]])
        logits.append(model.output(torch.cat([hidden, read])))
    return torch.stack(logits)


@pytest.mark.parametrize("reads", [1, 2])
def test_same_outputs_and_gradients(reads: int) -> None:
    model = double_model("stack_rnn", **SIZES, reads=reads)
    with torch.no_grad():
        model.actions.bias.view(-1, 3)[:, PUSH] += 1
    pushes = model.trace(double_inputs())["actions"][..., PUSH].sum(dim=0)
    assert (pushes > SIZES["depth"] + 1).all()  # what was pushed first is lost
    assert_same(model, model, lambda inputs: in_plain_loops(model, inputs))
    assert model.state_floats(STEPS) == 5 + 2 * 3 * 3


def stack_by_hand(depth: int) -> StackRNN:
    """A network that pushes where the first channel is 1, and pops where the second is."""
    settings = StackRNNSettings(hidden_size=2, stacks=1, cell_size=1, depth=depth)
    model = StackRNN(2, 1, settings)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        model.hidden.weight[:, :2] = 100 * torch.eye(2)
        model.hidden.bias.fill_(-50)
        model.actions.weight[[PUSH, POP], [0, 1]] = 100
        model.actions.bias[STAY] = 50
        model.pushed.bias.fill_(1)
    return model


def test_what_was_pushed_last_is_popped_first() -> None:
    push, pop, stay = [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]
    inputs = torch.tensor([push, push, stay, push, pop, pop, pop]).unsqueeze(1)
    roomy, full = stack_by_hand(depth=3).trace(inputs), stack_by_hand(depth=2).trace(inputs)
    torch.testing.assert_close(
        roomy["occupied"].sum(dim=3).flatten(), torch.tensor([1.0, 2, 2, 3, 2, 1, 0])
    )
    wrote = {3: [0, 1, 1, 3, 1, 0, None], 2: [0, 1, 1, 3, 1, None, None]}
    for depth, trace in {3: roomy, 2: full}.items():
        assert trace.provenance is not None
        for step, by in enumerate(wrote[depth]):
            expected = torch.zeros(len(inputs))
            if by is not None:
                expected[by] = 1
            torch.testing.assert_close(trace.provenance[step, 0], expected)
            assert bool(trace["tops"][step] == EMPTY) == (by is None)


def test_kernels_read_one_cell() -> None:
    inputs = torch.ones(2, 1, INPUTS)
    model = make_model("stack_rnn", INPUTS, OUTPUTS, **SIZES, reads=2)
    assert isinstance(model, StackRNN)
    assert torch.equal(model(inputs), model.forward_eager(inputs))
    fused = make_model("stack_rnn", INPUTS, OUTPUTS, **SIZES, reads=2, engine="fused")
    with pytest.raises(SettingError, match=r"with model\.reads above 1"):
        fused(inputs)


def test_more_cells_than_a_stack_has_are_refused() -> None:
    with pytest.raises(SettingError, match=r"model\.reads=4 is out of range"):
        StackRNNSettings(**SIZES, reads=4)


def test_one_cell_read_leaves_the_identity_as_it_was() -> None:
    assert "reads" not in identity_of(StackRNNSettings())
    assert identity_of(StackRNNSettings(reads=2))["reads"] == 2
