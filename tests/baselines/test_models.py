"""The baselines: what each of them sees, and the size of all models."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ntmbench import TrainSettings, evaluate, train
from ntmbench.errors import ModelError, SettingError
from ntmbench.model import SequenceModel
from ntmbench.registry import make_model, make_task, model_entry, model_names, task_names

INPUTS, OUTPUTS = 4, 3


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def random_inputs(steps: int = 9, batch_size: int = 5) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(steps, batch_size, INPUTS, generator=generator)


def random_bits(steps: int = 9, batch_size: int = 5) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 2, (steps, batch_size, OUTPUTS), generator=generator).float()


@torch.no_grad()
def answers(model: SequenceModel, inputs: Tensor, targets: Tensor | None = None) -> Tensor:
    return model.answer(inputs, 4, targets)


# --- All of them. ---


def test_default_sizes_are_about_equal_on_copy() -> None:
    """Elsewhere a budget of parameters makes them so, see tests/commands/test_recipes.py."""
    task = make_task("copy")
    sizes = {
        name: parameters(make_model(name, task.input_width, task.output_width))
        for name in ("ntm", "lstm", "seq2seq")
    }
    assert max(sizes.values()) <= 1.10 * min(sizes.values()), sizes


def test_built_in_models() -> None:
    built_in = {"ntm", "lstm", "seq2seq", "memoryless", "constant", "oracle", "custom"}
    assert built_in <= set(model_names())


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("lstm", "hidden_size", 0),
        ("lstm", "layers", 0),
        ("seq2seq", "hidden_size", 0),
        ("seq2seq", "layers", -1),
        ("memoryless", "hidden_size", 0),
    ],
)
def test_sizes_out_of_range(name: str, setting: str, value: int) -> None:
    with pytest.raises(SettingError, match=f"model.{setting}={value} is out of range"):
        make_model(name, INPUTS, OUTPUTS, **{setting: value})


def test_settings_of_another_type_or_name() -> None:
    with pytest.raises(SettingError, match=r"hidden_size='8' is of type str. Allowed: int"):
        make_model("lstm", INPUTS, OUTPUTS, hidden_size="8")
    with pytest.raises(SettingError, match=r"no setting 'hiden_size'.*Did you mean 'hidden_size'"):
        make_model("lstm", INPUTS, OUTPUTS, hiden_size=8)


# --- LSTM. ---


def test_lstm_is_a_stack_and_a_linear_layer() -> None:
    model = make_model("lstm", INPUTS, OUTPUTS, hidden_size=7, layers=3)
    first, further = 4 * 7 * (INPUTS + 7 + 2), 4 * 7 * (7 + 7 + 2)
    assert parameters(model) == first + 2 * further + OUTPUTS * (7 + 1)


@pytest.mark.parametrize("name", ["lstm", "seq2seq"])
def test_forget_gates_start_open(name: str) -> None:
    model = make_model(name, INPUTS, OUTPUTS, hidden_size=7, layers=2)
    layers = [part for part in model.modules() if isinstance(part, nn.LSTM)]
    assert len(layers) == (1 if name == "lstm" else 2)
    for layer in layers:
        biases = [bias for name, bias in layer.named_parameters() if name.startswith("bias_ih")]
        assert len(biases) == 2
        for bias in biases:
            assert bias[7:14].tolist() == [1] * 7
            assert bias[:7].abs().max() < 1


# --- Memoryless. ---


def test_memoryless_sees_one_step_at_a_time() -> None:
    model = make_model("memoryless", INPUTS, OUTPUTS)
    inputs = random_inputs()
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(3))
    assert torch.allclose(answers(model, inputs)[order], answers(model, inputs[order]), atol=1e-6)


# --- Constant and oracle. ---


def test_constant_answers_the_same_at_every_step() -> None:
    model = make_model("constant", INPUTS, OUTPUTS)
    assert parameters(model) == OUTPUTS
    with torch.no_grad():
        for logits in model.parameters():
            logits.copy_(torch.arange(OUTPUTS))
    answered = answers(model, random_inputs())
    assert torch.equal(answered, torch.arange(float(OUTPUTS)).expand(9, 5, OUTPUTS))


@pytest.mark.parametrize("task_name", task_names())
def test_oracle_answers_with_the_tasks_probabilities(task_name: str) -> None:
    task = make_task(task_name)
    model = make_model("oracle", task.input_width, task.output_width)
    model.prepare(task)
    assert parameters(model) == 1
    batch = task.test_set(task.length_range[1], 3)
    logits = answers(model, torch.from_numpy(batch.inputs))
    assert torch.isfinite(logits).all()
    scored = torch.from_numpy(batch.mask) == 1
    expected = torch.from_numpy(task.oracle(batch.inputs))[scored]
    assert torch.allclose(task.answer.shown(logits)[scored].float(), expected, atol=1e-6)
    with torch.no_grad():
        for scale in model.parameters():
            scale.fill_(0.5)
    assert torch.allclose(answers(model, torch.from_numpy(batch.inputs)), logits / 2)


def test_oracle_needs_a_task() -> None:
    with pytest.raises(ModelError, match=r"model=oracle needs the task .* call prepare\(task\)"):
        make_model("oracle", INPUTS, OUTPUTS)(random_inputs())


# --- Encoder and decoder. ---


def seq2seq() -> SequenceModel:
    model = make_model("seq2seq", INPUTS, OUTPUTS, hidden_size=16, seed=2)
    with torch.no_grad():  # answers that differ from step to step
        for weight in model.parameters():
            weight.mul_(3)
    return model


def test_free_running_feeds_back_its_own_thresholded_answers() -> None:
    """Teacher forcing with the model's own answers gives the same answers."""
    model, inputs = seq2seq(), random_inputs()
    free = answers(model, inputs)
    own = (free > 0).float()
    assert len({tuple(step.flatten().tolist()) for step in own[4:]}) > 1
    assert torch.allclose(answers(model, inputs, own), free, atol=1e-5)
    wrong = own.clone()
    wrong[5] = 1 - wrong[5]
    forced = answers(model, inputs, wrong)
    assert torch.allclose(forced[:6], free[:6], atol=1e-5)
    assert not torch.allclose(forced[6:], free[6:], atol=1e-2)


def test_free_running_by_hand() -> None:
    model, inputs = seq2seq(), random_inputs()
    encoder, decoder, output = model.encoder, model.decoder, model.output
    assert isinstance(encoder, nn.LSTM)
    assert isinstance(decoder, nn.LSTM)
    assert isinstance(output, nn.Linear)
    with torch.no_grad():
        _, state = encoder(inputs[:4])
        fed = torch.zeros(1, 5, OUTPUTS)
        expected = []
        for _ in range(5):
            hidden, state = decoder(fed, state)
            expected.append(output(hidden))
            fed = (torch.sigmoid(expected[-1]) > 0.5).float()
    assert torch.allclose(answers(model, inputs)[4:], torch.cat(expected), atol=1e-6)


def test_teacher_forcing_never_shows_the_answer_that_is_asked_for() -> None:
    model, inputs, targets = seq2seq(), random_inputs(), random_bits()
    before = answers(model, inputs, targets)
    changed = targets.clone()
    changed[6] = 1 - changed[6]
    after = answers(model, inputs, changed)
    assert torch.equal(before[:7], after[:7])
    assert not torch.equal(before[7], after[7])


@pytest.mark.parametrize("teacher", [True, False])
def test_decoder_sees_neither_the_input_of_the_answer_nor_targets_before_it(teacher: bool) -> None:
    model, inputs, targets = seq2seq(), random_inputs(), random_bits()
    other_inputs, other_targets = inputs.clone(), targets.clone()
    other_inputs[4:] += 1
    other_targets[:4] = 1 - other_targets[:4]
    one = answers(model, inputs, targets if teacher else None)
    other = answers(model, other_inputs, other_targets if teacher else None)
    assert torch.equal(one, other)
    assert (one[:4] == 0).all()


def test_seq2seq_needs_to_know_where_the_answer_starts() -> None:
    with pytest.raises(ModelError, match=r"call answer\(\)"):
        seq2seq()(random_inputs())
    assert model_entry("seq2seq").needs_input_phase
    assert not model_entry("lstm").needs_input_phase


def test_training_tells_a_model_its_task() -> None:
    """As a library user has it: nobody else called ``prepare``."""
    task = make_task("key_value", max_length=2)
    model: Any = make_model(
        "seq2seq", task.input_width, task.output_width, hidden_size=4, sees_input=True
    )
    assert model.fed_back != task.answer
    train(model, task, TrainSettings(sequences=4, validation_sequences=4, selection_sequences=4))
    assert model.fed_back == task.answer
    other: Any = make_model("seq2seq", task.input_width, task.output_width, sees_input=True)
    evaluate(other, task, lengths=[2], sequences=2)
    assert other.fed_back == task.answer


def test_models_built_in_threads_have_their_seeds_weights() -> None:
    """They share PyTorch's generator, and take turns."""

    def weights(seed: int) -> list[float]:
        model = make_model("lstm", 3, 2, seed=seed, hidden_size=48, layers=2)
        return [float(parameter.detach().double().sum()) for parameter in model.parameters()]

    expected = [weights(seed) for seed in range(60)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(weights, range(60))) == expected
    finally:
        sys.setswitchinterval(interval)
