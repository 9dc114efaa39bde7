"""The training loop, its optimizer, the selection of weights, and evaluation."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from ntmbench import evaluation, training
from ntmbench.config import TrainSettings
from ntmbench.evaluation import enough_memory, evaluate, score_batch
from ntmbench.metrics import Scores
from ntmbench.model import SequenceModel
from ntmbench.optimization import (
    CompiledOptimizer,
    Optimizer,
    TorchOptimizer,
    decay_at,
    learning_rate_at,
    make_optimizer,
)
from ntmbench.registry import make_model, make_task
from ntmbench.task import Task
from ntmbench.training import Monitor, Selected, train

TASK = make_task("copy", bits=2, max_length=3)


def settings(**changes: Any) -> TrainSettings:
    """Ten steps, validated every fifth."""
    return TrainSettings(
        **{
            "sequences": 40,
            "batch_size": 4,
            "validate_every": 20,
            "validation_sequences": 32,
            "selection_sequences": 8,
            **changes,
        }
    )


def lstm(task: Task = TASK, seed: int = 0) -> SequenceModel:
    return make_model("lstm", task.input_width, task.output_width, seed=seed, hidden_size=8)


def copy_of(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[n], right[n]) for n in left)


# --- Learning rate. ---


def schedule(**changes: Any) -> TrainSettings:
    """101 steps, from 2 to 0.2 where the schedule falls."""
    fixed = {"sequences": 404, "batch_size": 4, "learning_rate": 2.0, "final_learning_rate": 0.1}
    return TrainSettings(**{**fixed, **changes})


@pytest.mark.parametrize(
    ("name", "step", "rate"),
    [
        ("constant", 0, 2.0),
        ("constant", 100, 2.0),
        ("linear", 0, 2.0),
        ("linear", 25, 0.2 + 1.8 * 0.75),
        ("linear", 50, 1.1),
        ("linear", 100, 0.2),
        ("cosine", 0, 2.0),
        ("cosine", 25, 0.2 + 1.8 * (1 + math.sqrt(0.5)) / 2),
        ("cosine", 50, 1.1),
        ("cosine", 100, 0.2),
    ],
)
def test_schedule(name: str, step: int, rate: float) -> None:
    assert learning_rate_at(step, schedule(schedule=name)) == pytest.approx(rate, rel=1e-12)


@pytest.mark.parametrize("name", ["constant", "linear", "cosine"])
def test_warm_up_rises_evenly_from_zero_and_then_the_schedule_begins(name: str) -> None:
    warmed = schedule(schedule=name, warmup_sequences=40)
    rates = [learning_rate_at(step, warmed) for step in range(101)]
    assert rates[:10] == pytest.approx([2 * (step + 1) / 11 for step in range(10)])
    assert rates[10] == 2
    assert rates[55] == pytest.approx(2 if name == "constant" else 1.1)
    assert rates[100] == pytest.approx(2 if name == "constant" else 0.2)


@given(
    name=st.sampled_from(["constant", "linear", "cosine"]),
    sequences=st.integers(1, 300),
    batch_size=st.integers(1, 20),
    warmup=st.integers(0, 400),
    final=st.floats(0, 1),
)
def test_learning_rate_stays_in_range_and_never_rises_after_warm_up(
    name: str, sequences: int, batch_size: int, warmup: int, final: float
) -> None:
    chosen = TrainSettings(
        sequences=sequences,
        batch_size=batch_size,
        learning_rate=1.0,
        schedule=name,
        warmup_sequences=warmup,
        final_learning_rate=final,
    )
    rates = [learning_rate_at(step, chosen) for step in range(chosen.steps)]
    assert all(0 <= rate <= 1 for rate in rates)
    after = rates[math.ceil(warmup / batch_size) :]
    assert all(later <= earlier for earlier, later in itertools.pairwise(after))
    assert name == "constant" or len(after) < 2 or after[-1] == pytest.approx(final, abs=1e-12)


# --- The optimizer. ---

KINDS: list[type[Optimizer]] = [CompiledOptimizer, TorchOptimizer]


def linear(*weights: float) -> nn.Linear:
    model = nn.Linear(len(weights), 1, bias=False)
    model.weight.data = torch.tensor([weights])
    return model


def apply(optimizer: Optimizer, step: int, gradient: Tensor) -> None:
    optimizer.zero_gradient()
    (weight,) = optimizer.weights
    weight.grad = gradient.clone()
    assert optimizer.step(step)


@pytest.mark.parametrize("kind", KINDS)
def test_rmsprop_by_hand(kind: type[Optimizer]) -> None:
    """Graves 2013, equations 38 to 45, but for the place of epsilon (outside the root)."""
    model = linear(1.0)
    chosen = settings(
        optimizer="rmsprop",
        learning_rate=0.1,
        schedule="constant",
        smoothing=0.5,
        momentum=0.5,
        epsilon=0.25,
        clip_norm=0,
    )
    optimizer = kind(model, chosen)
    apply(optimizer, 0, torch.tensor([[2.0]]))
    # Mean square 2, mean 1, so the deviation is 1 and the velocity 2 / 1.25.
    assert model.weight.item() == pytest.approx(1 - 0.1 * 1.6)
    apply(optimizer, 1, torch.tensor([[-3.0]]))
    # Mean square 5.5, mean -1.
    velocity = 0.5 * 1.6 - 3 / (math.sqrt(5.5 - 1) + 0.25)
    assert model.weight.item() == pytest.approx(1 - 0.1 * 1.6 - 0.1 * velocity)


@pytest.mark.parametrize("kind", KINDS)
def test_adam_by_hand(kind: type[Optimizer]) -> None:
    model = linear(1.0)
    chosen = settings(
        optimizer="adam",
        learning_rate=0.1,
        schedule="constant",
        momentum=0.5,
        smoothing=0.75,
        epsilon=0.25,
        clip_norm=0,
    )
    optimizer = kind(model, chosen)
    apply(optimizer, 0, torch.tensor([[2.0]]))
    assert model.weight.item() == pytest.approx(1 - 0.1 * 2 / (2 + 0.25))
    apply(optimizer, 1, torch.tensor([[-3.0]]))
    mean = (0.5 * 1 - 0.5 * 3) / (1 - 0.5**2)
    square = (0.75 * 1 + 0.25 * 9) / (1 - 0.75**2)
    assert model.weight.item() == pytest.approx(
        1 - 0.1 * 2 / 2.25 - 0.1 * mean / (math.sqrt(square) + 0.25)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_clipping_scales_the_whole_gradient_down_to_the_limit(kind: type[Optimizer]) -> None:
    gradient = torch.tensor([[30.0, 40.0]])
    chosen = {"epsilon": 1.0, "learning_rate": 0.1, "schedule": "constant"}
    clipped, scaled, free = (linear(0.0, 0.0) for _ in range(3))
    apply(kind(clipped, settings(clip_norm=5, **chosen)), 0, gradient)
    apply(kind(scaled, settings(clip_norm=5, **chosen)), 0, gradient / 10)
    apply(kind(free, settings(clip_norm=0, **chosen)), 0, gradient)
    assert torch.allclose(clipped.weight, scaled.weight, rtol=1e-6)
    assert free.weight.abs().min() > 1.5 * clipped.weight.abs().max()


@pytest.mark.parametrize("kind", KINDS)
def test_clipping_counts_the_gradient_of_all_weights(kind: type[Optimizer]) -> None:
    chosen = {"epsilon": 1.0, "learning_rate": 0.1, "schedule": "constant"}
    weights = torch.tensor([[1.0, 2.0], [2.0, 0.0]])
    bias = torch.tensor([0.0, 4.0])  # a norm of 5 with the weights
    models = [nn.Linear(2, 2), nn.Linear(2, 2)]
    models[1].load_state_dict(models[0].state_dict())
    for model, factor, clip_norm in ((models[0], 1.0, 2.5), (models[1], 0.5, 0.0)):
        optimizer = kind(model, settings(clip_norm=clip_norm, **chosen))
        model.weight.grad, model.bias.grad = weights * factor, bias * factor
        assert optimizer.step(0)
    assert torch.allclose(models[0].weight, models[1].weight, rtol=1e-5)
    assert torch.allclose(models[0].bias, models[1].bias, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_gradient_that_is_not_finite_changes_nothing(kind: type[Optimizer], bad: float) -> None:
    model = linear(1.0, 2.0)
    optimizer = kind(model, settings(weight_average=0.9))
    before = model.weight.detach().clone()
    model.weight.grad = torch.tensor([[0.0, bad]])
    assert not optimizer.step(0)
    assert torch.equal(model.weight, before)
    with optimizer.averaged():
        assert torch.equal(model.weight, before)


@pytest.mark.parametrize("kind", KINDS)
def test_weight_average_by_hand(kind: type[Optimizer]) -> None:
    model = linear(1.0, -1.0)
    optimizer = kind(model, settings(weight_average=0.25, learning_rate=0.1))
    average = model.weight.detach().clone()
    generator = torch.Generator().manual_seed(0)
    for step in range(8):
        apply(optimizer, step, torch.randn(1, 2, generator=generator))
        # The decay rises 1/10, 2/11, 3/12 to its value.
        decay = [0.1, 2 / 11, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25][step]
        assert decay_at(step, 0.25) == pytest.approx(decay)
        average = decay * average + (1 - decay) * model.weight.detach()
        own = model.weight.detach().clone()
        with optimizer.averaged():
            assert torch.allclose(model.weight, average, rtol=1e-5)
            assert not torch.equal(model.weight, own)
        assert torch.equal(model.weight, own)


@pytest.mark.parametrize("name", ["rmsprop", "adam"])
def test_compiled_and_torch_optimizers_agree(name: str) -> None:
    chosen = settings(
        optimizer=name, weight_average=0.9, clip_norm=2, learning_rate=0.01, schedule="cosine"
    )
    models = [lstm(), lstm()]
    first, second = (kind(m, chosen) for kind, m in zip(KINDS, models, strict=True))
    generator = torch.Generator().manual_seed(0)
    for step in range(10):
        gradients = [torch.randn(w.shape, generator=generator) / 4 for w in first.weights]
        for optimizer in (first, second):
            for weight, gradient in zip(optimizer.weights, gradients, strict=True):
                weight.grad = gradient.clone()
            assert optimizer.step(step)
    with first.averaged(), second.averaged():
        for left, right in zip(first.weights, second.weights, strict=True):
            assert torch.allclose(left, right, rtol=1e-4, atol=1e-6)
    for left, right in zip(first.weights, second.weights, strict=True):
        assert torch.allclose(left, right, rtol=1e-4, atol=1e-6)


def test_float64_weights_are_left_to_torch() -> None:
    assert isinstance(make_optimizer(linear(1.0), settings()), CompiledOptimizer)
    assert isinstance(make_optimizer(linear(1.0).double(), settings()), TorchOptimizer)


# --- Steps without finite numbers. ---


class Faulty(nn.Module):
    """Its logits, or only their gradient, are not finite at some of its training steps."""

    def __init__(self, steps: set[int], what: str) -> None:
        super().__init__()
        self.linear = nn.Linear(TASK.input_width, TASK.output_width)
        self.steps, self.what, self.step = steps, what, 0

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.linear(inputs)
        if self.training and torch.is_grad_enabled():
            if self.step in self.steps and self.what == "logits":
                logits = logits * math.nan
            elif self.step in self.steps:
                logits.register_hook(lambda gradient: gradient * math.inf)  # type: ignore[no-untyped-call]
            self.step += 1
        return logits


class Recorder(Monitor):
    """Notes the weights after each step, and what was rejected."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.weights = [copy_of(model.state_dict())]
        self.refused: list[int] = []

    def stepped(self, sequences: int, loss_bits: Callable[[], float]) -> None:
        self.weights.append(copy_of(self.model.state_dict()))

    def rejected(self, step: int) -> None:
        self.refused.append(step)


@pytest.mark.parametrize("what", ["logits", "gradient"])
def test_step_without_finite_numbers_is_not_applied(what: str) -> None:
    model = Faulty({3, 4, 7}, what)
    recorder = Recorder(model)
    result = train(model, TASK, settings(patience=3), device="cpu", monitor=recorder)
    assert recorder.refused == [3, 4, 7]
    assert (result.rejected_steps, result.diverged_at) == (3, None)
    for step in range(10):
        unchanged = same(recorder.weights[step], recorder.weights[step + 1])
        assert unchanged == (step in {3, 4, 7})
    assert result.curve["loss_bits"].notna().all()


def test_run_of_such_steps_ends_as_diverged_with_the_selected_weights() -> None:
    model = Faulty(set(range(6, 10)), "gradient")
    recorder = Recorder(model)
    result = train(model, TASK, settings(patience=3), device="cpu", monitor=recorder)
    assert (result.diverged_at, result.rejected_steps) == (9, 3)
    assert len(recorder.weights) == 1 + 9
    assert same(model.state_dict(), recorder.weights[result.selected_step])


# --- Selection. ---


def scores(wrong: float, loss: float) -> Scores:
    return Scores(sequences=8, loss_bits=loss, wrong_bits=wrong, exact_match=0, scored_bits=10)


@pytest.mark.parametrize(
    ("validations", "best"),
    [
        # (wrong, loss) with training's lengths, and a little beyond; of each validation.
        ([((5, 5), (5, 5)), ((4, 5), (4, 5)), ((4, 5), (5, 5))], 1),
        ([((0, 1), (5, 5)), ((1, 1), (3, 5)), ((2, 1), (3, 5))], 0),  # training's own come first
        ([((0, 1), (5, 5)), ((0, 1), (3, 5)), ((0.01, 1), (0, 5))], 1),  # longer ones among equals
        ([((5, 5), (5, 5)), ((5, 5), (5, 4)), ((5, 4), (5, 5))], 1),  # the loss decides a tie
        ([((5, 5), (5, 5)), ((4, 9), (4, 9)), ((5, 0), (5, 0))], 1),  # and nothing else
        ([((5, 5), (5, 5)), ((5, math.nan), (5, 5)), ((5, 5), (5, 4))], 2),
        ([((5, 5), (5, 5)), ((5, 5), (5, 5)), ((5, 5), (5, 5))], 0),  # the first of equals
    ],
)
def test_selection_by_wrong_and_then_by_loss_bits(
    monkeypatch: pytest.MonkeyPatch,
    validations: list[tuple[tuple[float, float], tuple[float, float]]],
    best: int,
) -> None:
    played = (scores(*part) for validation in validations for part in validation)
    monkeypatch.setattr(training, "score_batch", lambda model, batch: next(played))
    monkeypatch.setattr(type(TASK), "selection_lengths", (5,))
    model = lstm()
    recorder = Recorder(model)
    result = train(model, TASK, settings(), device="cpu", monitor=recorder)
    assert result.selected_step == 5 * best
    assert same(model.state_dict(), recorder.weights[5 * best])
    assert list(result.curve["wrong_bits"]) == [within[0] for within, _ in validations]


def test_selection_at_a_length_of_training_counts_as_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the validation set holds next to none of the hardest sequences."""
    validations = [((0, 1), (2, 1), (0, 1)), ((1, 1), (0, 1), (9, 1)), ((1, 1), (1, 1), (0, 1))]
    played = (scores(*part) for validation in validations for part in validation)
    monkeypatch.setattr(training, "score_batch", lambda model, batch: next(played))
    monkeypatch.setattr(type(TASK), "selection_lengths", (TASK.length_range[1], 5))
    result = train(lstm(), TASK, settings(), device="cpu")
    assert result.selected_step == 5


@pytest.mark.parametrize(
    ("mine", "theirs", "by_wrong_bits", "by_loss"),
    [
        ((0.1, 9), (0.2, 0), True, False),
        ((0.2, 0), (0.1, 9), False, True),
        ((0.1, 1), (0.1, 1), False, False),
        ((0.1, 1), (0.1, 2), True, True),
        ((0.1, 1), (0.1, math.nan), True, True),
        ((0.1, math.nan), (0.1, 1), False, False),
    ],
)
def test_selection_goes_by_wrong_bits_or_by_loss(
    mine: tuple[float, float], theirs: tuple[float, float], by_wrong_bits: bool, by_loss: bool
) -> None:
    one, other = (Selected(0, 1.0, *shares, {}) for shares in (mine, theirs))
    assert one.beats(None, by_loss=False)
    assert one.beats(other, by_loss=False) == by_wrong_bits
    assert one.beats(other, by_loss=True) == by_loss


def test_averaged_weights_are_what_is_selected() -> None:
    model = lstm()
    recorder = Recorder(model)
    chosen = settings(weight_average=0.9, learning_rate=0.01, validate_every=40)
    result = train(model, TASK, chosen, device="cpu", monitor=recorder)
    assert result.selected_step == 10
    average = recorder.weights[0]
    for step, weights in enumerate(recorder.weights[1:]):
        decay = decay_at(step, 0.9)
        average = {name: decay * average[name] + (1 - decay) * weights[name] for name in average}
    for name, weight in model.state_dict().items():
        assert torch.allclose(weight, average[name], atol=1e-6)


def test_training_never_asks_for_test_data(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []

    class NoTest(type(TASK)):  # type: ignore[misc]
        def test_set(self, length: int, sequences: int) -> Any:
            raise AssertionError("training asks for test data")

        def selection_set(self, length: int, sequences: int) -> Any:
            asked.append(("selection", length, sequences))
            return super().selection_set(length, sequences)

        def train_batch(self, seed: int, step: int, batch_size: int) -> Any:
            asked.append(("training", seed, step, batch_size))
            return super().train_batch(seed, step, batch_size)

    task = NoTest(bits=2, max_length=3)
    train(lstm(), task, settings(), seed=5, device="cpu")
    assert asked == [
        *(("selection", length, 8) for length in task.selection_lengths),
        *(("training", 5, step, 4) for step in range(10)),
    ]


# --- A function of its arguments alone. ---


class Dropped(nn.Module):
    """A model that draws random numbers in training."""

    def __init__(self) -> None:
        super().__init__()
        self.recurrent = nn.GRU(TASK.input_width, 8)
        self.output = nn.Linear(8, TASK.output_width)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = nn.functional.dropout(self.recurrent(inputs)[0], training=self.training)
        logits: Tensor = self.output(hidden)
        return logits


def test_global_random_states_are_left_as_they_are() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # type: ignore[index]
    model = make_model("ntm", TASK.input_width, TASK.output_width, memory_slots=4)
    train(model, TASK, settings(sequences=8), device="cpu")
    evaluate(model, TASK, sequences=4)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # type: ignore[index]
    assert random.getstate() == before[2]
    dropped = Dropped()
    state = torch.get_rng_state()
    train(dropped, TASK, settings(), device="cpu")
    assert torch.equal(torch.get_rng_state(), state)


def test_random_layers_draw_from_the_seed_alone() -> None:
    ends = []
    for noise, seed in ((1, 0), (2, 0), (1, 1)):
        torch.manual_seed(0)
        model = Dropped()
        torch.manual_seed(noise)
        train(model, TASK, settings(), seed=seed, device="cpu")
        ends.append(copy_of(model.state_dict()))
    assert same(ends[0], ends[1])
    assert not same(ends[0], ends[2])


def test_initial_weights_come_from_the_seed_alone() -> None:
    torch.manual_seed(1)
    first = lstm(seed=4)
    torch.manual_seed(2)
    assert same(first.state_dict(), lstm(seed=4).state_dict())
    assert not same(first.state_dict(), lstm(seed=5).state_dict())


def test_training_learns() -> None:
    task = make_task("copy", bits=2, max_length=2)
    chosen = TrainSettings(
        sequences=9600,
        batch_size=16,
        optimizer="adam",
        learning_rate=0.02,
        smoothing=0.99,
        epsilon=1e-8,
        validate_every=2400,
    )
    model = make_model("lstm", task.input_width, task.output_width, hidden_size=24, layers=1)
    result = train(model, task, chosen, device="cpu")
    wrong = result.curve["wrong_bits"]
    assert wrong.iloc[0] > 1
    assert wrong.iloc[-1] == 0
    tested = evaluate(model, task, lengths=[2], sequences=64)
    assert tested["wrong_bits"].item() < tested["chance_wrong_bits"].item() / 10


# --- Evaluation. ---


class Spy(SequenceModel):
    """Notes whether it was shown targets, in training and otherwise."""

    def __init__(self, task: Task = TASK) -> None:
        super().__init__()
        self.linear = nn.Linear(task.input_width, task.output_width)
        self.shown: list[tuple[bool, bool]] = []

    def answer(self, inputs: Tensor, answer_start: int, targets: Tensor | None = None) -> Tensor:
        self.shown.append((self.training, targets is not None))
        logits: Tensor = self.linear(inputs)
        return logits


def test_targets_are_shown_in_training_alone() -> None:
    spy = Spy()
    train(spy, TASK, settings(), device="cpu")
    assert set(spy.shown) == {(True, True), (False, False)}
    assert spy.shown.count((True, True)) == 10
    assert spy.training
    spy.shown.clear()
    evaluate(spy, TASK, sequences=8)
    assert set(spy.shown) == {(False, False)}


@contextmanager
def chunks(monkeypatch: pytest.MonkeyPatch, sequences: int, steps: int) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setattr(evaluation, "CHUNK_SEQUENCES", sequences)
        patched.setattr(evaluation, "CHUNK_STEPS", steps)
        yield


@pytest.mark.parametrize("name", ["ntm", "lstm", "seq2seq"])
def test_chunks_do_not_change_scores(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    model = make_model(name, TASK.input_width, TASK.output_width)
    batch = TASK.test_set(5, 50)
    with chunks(monkeypatch, 64, 10**6):
        whole = score_batch(model, batch)
    assert whole.sequences == 50
    for sequences, steps in ((7, 10**6), (1, 10**6), (64, 3 * 11), (64, 1)):
        with chunks(monkeypatch, sequences, steps):
            parts = score_batch(model, batch)
        assert (parts.sequences, parts.scored_bits) == (50, whole.scored_bits)
        assert parts.wrong_bits == pytest.approx(whole.wrong_bits, rel=1e-12)
        assert parts.exact_match == pytest.approx(whole.exact_match, rel=1e-12)
        assert parts.loss_bits == pytest.approx(whole.loss_bits, rel=1e-5)


def test_chunks_are_no_larger_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[tuple[int, int]] = []

    class Measured(Spy):
        def answer(
            self, inputs: Tensor, answer_start: int, targets: Tensor | None = None
        ) -> Tensor:
            sizes.append((inputs.shape[0], inputs.shape[1]))
            return super().answer(inputs, answer_start, targets)

    with chunks(monkeypatch, 16, 110):
        evaluate(Measured(), TASK, lengths=[1, 5, 100], sequences=20)
    assert sizes == [(3, 16), (3, 4), (11, 10), (11, 10), *[(201, 1)] * 20]
    sizes.clear()
    model = Measured()
    model.memory_slots = evaluation.CHUNK_SLOTS // 2
    score_batch(model, TASK.test_set(1, 5))
    assert sizes == [(3, 2), (3, 2), (3, 1)]


@pytest.mark.parametrize("was_training", [True, False])
def test_evaluation_restores_the_mode(was_training: bool) -> None:
    model = lstm().train(was_training)
    evaluate(model, TASK, sequences=4)
    assert model.training == was_training
    assert all(weight.grad is None for weight in model.parameters())


def test_evaluation_table() -> None:
    table = evaluate(lstm(), TASK, lengths=[5, 2], sequences=70)
    assert list(table["length"]) == [5, 2]
    assert list(table["sequences"]) == [70, 70]
    assert list(table["chance_wrong_bits"]) == [5, 2]
    assert table["memory_slots"].isna().all()
    row = score_batch(lstm(), TASK.test_set(2, 70))
    assert (table["wrong_bits"][1], table["loss_bits"][1]) == (row.wrong_bits, row.loss_bits)
    assert list(evaluate(lstm(), TASK, sequences=4)["length"]) == list(TASK.test_lengths)


def test_plain_module_is_evaluated_too() -> None:
    table = evaluate(nn.Linear(TASK.input_width, TASK.output_width), TASK, sequences=4)
    assert table["loss_bits"].gt(0).all()


@pytest.mark.parametrize(
    ("length", "slots"), [(1, 8), (7, 8), (8, 16), (15, 16), (16, 32), (100, 128)]
)
def test_memory_is_enlarged_where_the_length_outgrows_it(length: int, slots: int) -> None:
    """A slot for each vector and one to rest on; else to the next power of two."""
    model = make_model("ntm", TASK.input_width, TASK.output_width, memory_slots=8)
    with enough_memory(model, TASK, length) as enlarged:
        assert (enlarged, model.memory_slots) == (slots, slots)
    assert model.memory_slots == 8
    table = evaluate(model, TASK, lengths=[length], sequences=2)
    assert list(table["memory_slots"]) == [slots]


def test_memory_is_restored_after_a_failure() -> None:
    model = make_model("ntm", TASK.input_width, TASK.output_width, memory_slots=8)

    def fail() -> None:
        with enough_memory(model, TASK, 100):
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        fail()
    assert model.memory_slots == 8


def test_odd_memory_that_is_large_enough_stays() -> None:
    model = make_model("ntm", TASK.input_width, TASK.output_width, memory_slots=21)
    with enough_memory(model, TASK, 20) as slots:
        assert slots == 21


@pytest.mark.parametrize("build", [lstm, Spy, lambda: nn.Linear(3, 2)])
def test_model_without_memory_has_no_slots(build: Callable[[], nn.Module]) -> None:
    with enough_memory(build(), TASK, 100) as slots:
        assert slots is None
