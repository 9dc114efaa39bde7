"""TTT-Linear against plain loops, whose inner gradients are those of autograd, and fla-core."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from ntmbench.baselines.linear.blocks import BlockModel
from ntmbench.baselines.linear.ttt_linear import turned
from ntmbench.registry import make_model
from tests.baselines.oracles import fla
from tests.baselines.oracles.mixers import BATCH, STEPS, check_same, inputs, moved

HIDDEN, HEADS, SIZE = 8, 2, 4


@pytest.mark.parametrize("mini_batch", [1, 3, 8])
def test_a_layer_is_that_of_plain_loops(mini_batch: int) -> None:
    model = make_model("ttt_linear", 3, 2, hidden_size=HIDDEN, mini_batch=mini_batch)
    assert isinstance(model, BlockModel)
    mixer: Any = moved(model).blocks[0].mixer
    hidden = inputs(HIDDEN)
    rows = [_sequence(mixer, sequence, mini_batch) for sequence in hidden.unbind(dim=1)]
    check_same(mixer(hidden), torch.stack(rows, dim=1), mixer, hidden)


@pytest.mark.parametrize("mini_batch", [1, 4, 8])
def test_the_inner_model_is_that_of_fla(mini_batch: int) -> None:
    """What is read before the norm, and W and b after the last step.

    fla adds the norm to what was read, o = a + norm(a) with a = q W + b; the paper (section 2.7)
    and its authors' code add it to the query, o = q + norm(a). So a is compared by fla's rule. And
    fla knows one learning rate, that of the step that reads, where the authors' code multiplies a
    factor of that step and a rate of the step that writes: here the rates of a head are all alike.
    """
    theirs = fla.load("ttt/naive.py").chunk_ttt_linear_ref
    model = make_model("ttt_linear", 3, 2, hidden_size=HIDDEN, mini_batch=mini_batch)
    assert isinstance(model, BlockModel)
    mixer: Any = moved(model).blocks[0].mixer
    nn.init.zeros_(mixer.rates.weight).requires_grad_(False)
    hidden = inputs(HIDDEN)
    batches = list(mixer._mini_batches(hidden))
    query, key = (
        torch.cat([getattr(batch, name) for batch in batches], dim=2) for name in ("query", "key")
    )  # [B, H, T, size]
    value = mixer.value(hidden).view(STEPS, BATCH, HEADS, SIZE).transpose(0, 1)
    influences, wrong = mixer.influences(hidden)
    read = query @ mixer.weights + mixer.biases - influences @ wrong  # [B, H, T, size]
    normed = functional.layer_norm(read, (SIZE,), eps=1e-6)
    ours = read + normed * mixer.norm_factors + mixer.norm_biases
    last = torch.cat([batch.shares[:, :, -1] for batch in batches], dim=2).unsqueeze(3) * wrong
    state = mixer.weights - key.transpose(2, 3) @ last  # [B, H, size, size]
    bias = mixer.biases - last.sum(dim=2, keepdim=True)  # [B, H, 1, size]

    places = torch.arange(STEPS) % mini_batch
    rates = torch.sigmoid(mixer.rates.bias) / SIZE  # [H]
    factors = (1 / (places + 1).double() + mixer.step_factors[places]).clamp_min(0)  # [T]
    rates = factors.unsqueeze(1) * rates  # [T, H]
    outputs, last_state, last_bias = theirs(
        query.transpose(1, 2).clone(),  # which theirs scales in place
        key.transpose(1, 2),
        value,
        mixer.norm_factors.flatten(1),
        mixer.norm_biases.flatten(1),
        rates.expand(BATCH, -1, -1).unsqueeze(3),  # [B, T, H, 1]
        scale=1.0,
        mini_batch_size=mini_batch,
        initial_state=mixer.weights.expand(BATCH, -1, -1, -1),
        initial_state_bias=mixer.biases.expand(BATCH, -1, -1, -1),
        output_final_state=True,
    )
    for one, two in ((ours.transpose(1, 2), outputs), (state, last_state), (bias, last_bias)):
        check_same(one, two, mixer, hidden)


def test_a_mini_batch_of_one_step_keeps_no_sums_of_gradients() -> None:
    models = {
        size: make_model("ttt_linear", 3, 2, hidden_size=HIDDEN, mini_batch=size)
        for size in (1, 2, 16)
    }
    floats = {size: model.state_floats(9) or 0 for size, model in models.items()}
    inner_models = 2 * HEADS * (SIZE**2 + SIZE)  # in two layers
    assert floats[2] == floats[16] == floats[1] + inner_models
    assert floats[1] == inner_models + 2 * 3 * HIDDEN


@pytest.mark.parametrize("mini_batch", [1, 3, 8])
def test_influences_add_up_to_the_answers(mini_batch: int) -> None:
    model = make_model("ttt_linear", 3, 2, hidden_size=HIDDEN, mini_batch=mini_batch)
    assert isinstance(model, BlockModel)
    mixer: Any = moved(model).blocks[0].mixer
    with torch.no_grad():
        hidden = inputs(HIDDEN)
        batches = list(mixer._mini_batches(hidden))
        query = torch.cat([batch.query for batch in batches], dim=2)
        factors, slopes = mixer.influences(hidden)
        found = query @ mixer.weights + mixer.biases - factors @ slopes
        normed = functional.layer_norm(found, (SIZE,), eps=1e-6)
        answers = query + normed * mixer.norm_factors + mixer.norm_biases
        torch.testing.assert_close(answers, torch.cat([b.answers for b in batches], dim=2))
        assert not factors.triu(1).any()
        shares = mixer.shares(hidden)
        torch.testing.assert_close(shares.sum(dim=3), torch.ones_like(shares[..., 0]))


def _sequence(mixer: Any, sequence: Tensor, mini_batch: int) -> Tensor:
    """One sequence ``[T, hidden]``, with a model for every step."""
    shared = mixer.query_and_key(sequence)
    query, key = (
        torch.stack([_convolved(convolution, shared, t) for t in range(len(sequence))])
        for convolution in (mixer.query_convolution, mixer.key_convolution)
    )
    value = mixer.value(sequence)
    heads = []
    for h in range(HEADS):
        own = slice(h * SIZE, (h + 1) * SIZE)
        factors, shifts = mixer.norm_factors[h, 0], mixer.norm_biases[h, 0]

        def mapped(
            x: Tensor, w: Tensor, b: Tensor, g: Tensor = factors, s: Tensor = shifts
        ) -> Tensor:
            return functional.layer_norm(x @ w + b, (SIZE,), g, s, 1e-6)

        model = mixer.weights[h], mixer.biases[h, 0]
        answers = []
        for t, x in enumerate(sequence):
            place = t % mini_batch
            if place == 0:
                base, sums = model, (torch.zeros_like(model[0]), torch.zeros_like(model[1]))
            q, k = (_turned(part[t, own], place) for part in (query, key))
            error = mapped(k, *base) - (value[t, own] - k)
            gradients = torch.autograd.grad(error.square().sum() / 2, base, create_graph=True)
            rate = torch.sigmoid(mixer.rates(x)[h]) / SIZE
            sums = sums[0] + rate * gradients[0], sums[1] + rate * gradients[1]
            factor = (1 / (place + 1) + mixer.step_factors[place]).clamp_min(0)
            model = base[0] - factor * sums[0], base[1] - factor * sums[1]
            answers.append(q + mapped(q, *model))
        heads.append(torch.stack(answers))
    gate = functional.gelu(mixer.gate(sequence), approximate="tanh")
    result = mixer.output(mixer.norm(torch.cat(heads, dim=1)) * gate)
    assert isinstance(result, Tensor)
    return result


def _convolved(convolution: Any, shared: Tensor, t: int) -> Tensor:
    total = convolution.bias
    for back in range(min(4, t + 1)):
        total = total + convolution.weight[:, 3 - back] * shared[t - back]
    assert isinstance(total, Tensor)
    return total


def _turned(numbers: Tensor, place: int) -> Tensor:
    pairs = torch.view_as_complex(numbers.view(-1, 2))
    angles = place * 10000.0 ** (-2 * torch.arange(SIZE // 2).double() / SIZE)
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten()


def test_turning_keeps_lengths_and_begins_anew_with_each_mini_batch() -> None:
    numbers = torch.randn(1, 1, 1, 6, dtype=torch.float64).expand(1, 1, 8, 6)
    after = turned(numbers, 4)
    torch.testing.assert_close(after[:, :, :4], after[:, :, 4:])
    torch.testing.assert_close(after.norm(dim=3), numbers.norm(dim=3))
    assert not torch.allclose(after[:, :, 0], after[:, :, 1])
