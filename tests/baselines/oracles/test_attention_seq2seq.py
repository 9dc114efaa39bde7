"""The encoder-decoder with attention beside its equations in plain loops, and its feedback."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ntmbench.errors import ModelError
from ntmbench.registry import make_model, make_task
from tests.baselines.oracles.comparing import (
    BATCH,
    OUTPUTS,
    STEPS,
    assert_same,
    double_inputs,
    double_model,
)

WIDTH, START = 5, 6


def lstm_step(lstm: Any, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """One step of one sequence: the output and the cell."""
    w, u, b, c = lstm.all_weights[0]
    into, forget, new, out = (w @ x + b + u @ state[0] + c).chunk(4)
    cell = torch.sigmoid(forget) * state[1] + torch.sigmoid(into) * torch.tanh(new)
    return torch.sigmoid(out) * torch.tanh(cell), cell


def random_bits() -> Tensor:
    generator = torch.Generator().manual_seed(1)
    bits = torch.randint(0, 2, (STEPS, BATCH, OUTPUTS), generator=generator)
    return bits.double()


@pytest.mark.parametrize("sees_input", [False, True])
@pytest.mark.parametrize("forced", [False, True])
def test_attention_seq2seq_in_plain_loops(sees_input: bool, forced: bool) -> None:
    model = double_model("attention_seq2seq", hidden_size=WIDTH, sees_input=sees_input)
    targets = random_bits() if forced else None

    def answered(sequence: Tensor, number: int) -> Tensor:
        state = (sequence.new_zeros(WIDTH), sequence.new_zeros(WIDTH))
        encoded = []
        for x in sequence[:START]:
            state = lstm_step(model.encoder, x, state)
            encoded.append(state[0])
        previous = sequence.new_zeros(OUTPUTS)
        answers = [sequence.new_zeros(OUTPUTS)] * START
        for step in range(START, STEPS):
            asked = sequence[step] if sees_input else sequence[step, :0]
            query = model.align_state.weight @ torch.cat([state[0], asked])
            scores = [
                model.score.weight[0] @ torch.tanh(query + model.align_encoded.weight @ h)
                for h in encoded
            ]
            shares = torch.exp(torch.stack(scores))
            shares = shares / shares.sum()
            context = torch.stack([a * h for a, h in zip(shares, encoded, strict=True)]).sum(0)
            state = lstm_step(model.decoder, torch.cat([previous, asked, context]), state)
            seen = torch.cat([state[0], previous, asked, context])
            answers.append(model.output.weight @ seen + model.output.bias)
            previous = (answers[-1] > 0).double() if targets is None else targets[step, number]
        return torch.stack(answers)

    def by_hand(inputs: Tensor) -> Tensor:
        return torch.stack([answered(inputs[:, b], b) for b in range(BATCH)], dim=1)

    assert_same(model, lambda inputs: model.answer(inputs, START, targets), by_hand)


def test_attention_is_over_the_input_phase() -> None:
    model = double_model("attention_seq2seq", hidden_size=WIDTH, layers=2)
    trace = model.trace_answer(double_inputs(), START)
    assert trace is not None
    shares = trace.provenance
    assert torch.allclose(shares[START:, :, :START].sum(2), torch.ones(1).double())
    assert not shares[:START].any()
    assert not shares[:, :, START:].any()
    assert model.state_floats(9) == 2 * 2 * WIDTH + 9 * WIDTH  # an upper bound


def test_attention_seq2seq_counts_the_states_before_the_answer() -> None:
    task = make_task("reverse", max_length=4)
    model = make_model(
        "attention_seq2seq", task.input_width, task.output_width, hidden_size=WIDTH, layers=2
    )
    model.prepare(task)
    assert model.state_floats(2 * 4 + 1) == 2 * 2 * WIDTH + (4 + 1) * WIDTH
    assert model.state_floats(50) == 2 * 2 * WIDTH + 50 * WIDTH


def test_attention_seq2seq_needs_to_know_where_the_answer_starts() -> None:
    model = double_model("attention_seq2seq", hidden_size=WIDTH)
    with pytest.raises(ModelError, match=r"call answer\(\)"):
        model(double_inputs())
