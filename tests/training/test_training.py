"""The training loop: bad steps, the selection of weights, and its independence of all else."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ntmbench.errors import ModelError, SettingError
from ntmbench.evaluation.grid import evaluate
from ntmbench.evaluation.scores import Scores
from ntmbench.registry import make_model, make_task
from ntmbench.training import checkpointing, selection
from ntmbench.training.checkpointing import Pause
from ntmbench.training.loop import train
from ntmbench.training.observer import Observer
from ntmbench.training.optimizers import decay_at
from ntmbench.training.settings import TrainSettings
from ntmbench.training.state import Selected
from tests.tiny import TASK, lstm, settings


def copy_of(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[n], right[n]) for n in left)


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


class Recorder(Observer):
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
    result = train(model, TASK, settings(patience=3), device="cpu", observer=recorder)
    assert recorder.refused == [3, 4, 7]
    assert (result.rejected_steps, result.diverged_after) == (3, None)
    for step in range(10):
        unchanged = same(recorder.weights[step], recorder.weights[step + 1])
        assert unchanged == (step in {3, 4, 7})
    assert result.curve["loss_bits"].notna().all()


def test_run_of_such_steps_ends_as_diverged_with_the_selected_weights() -> None:
    model = Faulty(set(range(6, 10)), "gradient")
    recorder = Recorder(model)
    result = train(model, TASK, settings(patience=3), device="cpu", observer=recorder)
    assert (result.diverged_after, result.rejected_steps) == (9, 3)
    assert len(recorder.weights) == 1 + 9
    assert same(model.state_dict(), recorder.weights[result.selected_step])


# --- Selection. ---


def scores(wrong: float, loss: float) -> Scores:
    return Scores(sequences=8, loss_bits=loss, errors=wrong, exact_match=0, scored=10)


@pytest.mark.parametrize(
    ("validations", "best"),
    [
        # (wrong, loss) with training's lengths, and with a longer one; of each validation. Where it
        # can no longer be selected, the longer one is not scored.
        ([((5, 5), (5, 5)), ((4, 5), (4, 5)), ((4, 5), (5, 5))], 1),
        ([((0, 1), (5, 5)), ((1, 1),), ((2, 1),)], 0),  # training's own come first
        ([((0, 1), (5, 5)), ((0, 1), (3, 5)), ((0.01, 1),)], 1),  # longer ones among equals
        ([((5, 5), (5, 5)), ((5, 5), (5, 4)), ((5, 4), (5, 5))], 1),  # the loss decides a tie
        ([((5, 5), (5, 5)), ((4, 9), (4, 9)), ((5, 0),)], 1),  # and nothing else
        ([((5, 5), (5, 5)), ((5, math.nan), (5, 5)), ((5, 5), (5, 4))], 2),
        ([((5, 5), (5, 5)), ((5, 5), (5, 5)), ((5, 5), (5, 5))], 0),  # the first of equals
    ],
)
def test_selection_by_wrong_and_then_by_loss_bits(
    monkeypatch: pytest.MonkeyPatch,
    validations: list[tuple[tuple[float, float], ...]],
    best: int,
) -> None:
    played = (scores(*part) for validation in validations for part in validation)
    monkeypatch.setattr(selection, "score_batch", lambda *of: next(played))
    monkeypatch.setattr(type(TASK), "selection_lengths", (5,))
    model = lstm()
    recorder = Recorder(model)
    result = train(model, TASK, settings(), device="cpu", observer=recorder)
    assert result.selected_step == 5 * best
    assert same(model.state_dict(), recorder.weights[5 * best])
    assert list(result.curve["errors"]) == [within[0] for within, *_ in validations]
    assert next(played, None) is None


def test_selection_at_a_length_of_training_counts_as_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It matters if the validation set has hardly any of the hardest sequences."""
    validations = [((0, 1), (2, 1), (0, 1)), ((1, 1), (0, 1), (9, 1)), ((1, 1), (1, 1), (0, 1))]
    played = (scores(*part) for validation in validations for part in validation)
    monkeypatch.setattr(selection, "score_batch", lambda *of: next(played))
    monkeypatch.setattr(type(TASK), "selection_lengths", (TASK.length_range[1], 5))
    result = train(lstm(), TASK, settings(), device="cpu")
    assert result.selected_step == 5


@pytest.mark.parametrize(
    ("mine", "theirs", "by_errors", "by_loss"),
    [
        ((0.1, 9), (0.2, 0), True, False),
        ((0.2, 0), (0.1, 9), False, True),
        ((0.1, 1), (0.1, 1), False, False),
        ((0.1, 1), (0.1, 2), True, True),
        ((0.1, 1), (0.1, math.nan), True, True),
        ((0.1, math.nan), (0.1, 1), False, False),
    ],
)
def test_selection_goes_by_errors_or_by_loss(
    mine: tuple[float, float], theirs: tuple[float, float], by_errors: bool, by_loss: bool
) -> None:
    one, other = (Selected(0, 1.0, *shares, {}) for shares in (mine, theirs))
    assert one.beats(None, by_loss=False)
    assert one.beats(other, by_loss=False) == by_errors
    assert one.beats(other, by_loss=True) == by_loss


def test_averaged_weights_are_what_is_selected() -> None:
    model = lstm()
    recorder = Recorder(model)
    chosen = settings(weight_average=0.9, learning_rate=0.01, validate_every=40)
    result = train(model, TASK, chosen, device="cpu", observer=recorder)
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
    wrong = result.curve["errors"]
    assert wrong.iloc[0] > 1
    assert wrong.iloc[-1] == 0
    tested = evaluate(model, task, lengths=[2], sequences=64)
    assert tested["errors"].item() < tested["chance_errors"].item() / 10


class Centred(nn.Module):
    """A linear model of inputs less a half, subtracted in place or into a new tensor."""

    def __init__(self, in_place: bool) -> None:
        super().__init__()
        self.linear = nn.Linear(TASK.input_width, TASK.output_width)
        nn.init.ones_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        self.in_place = in_place

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.linear(inputs.sub_(0.5) if self.in_place else inputs - 0.5)
        return logits


def test_model_that_edits_its_inputs_spoils_no_data() -> None:
    curves = []
    for in_place in (False, True):
        model = Centred(in_place)
        curve = train(model, TASK, settings(), device="cpu").curve
        tested = evaluate(model, TASK, sequences=8)
        curves.append((curve["loss_bits"].tolist(), tested["loss_bits"].tolist()))
    assert curves[0] == curves[1]
    assert len(set(curves[0][0])) > 1


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (nn.Linear(3, 1), "The model returned shape"),
        (nn.Sequential(nn.Linear(3, 2), nn.Unflatten(2, (2, 1))), "The model returned shape"),
        (nn.LSTM(3, 2), "The model returned a tuple"),
    ],
)
def test_logits_of_a_wrong_shape_are_refused(model: nn.Module, reason: str) -> None:
    """A single channel would be broadcast over the targets' two."""
    assert (TASK.input_width, TASK.output_width) == (3, 2)
    for use in (evaluate, train):
        with pytest.raises(ModelError, match=reason):
            use(model, TASK)


class FakeClock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("share", "cost", "pause"), [(0.01, 0.02, 1.98), (0.5, 2.0, 2.0), (0, 1.0, math.inf)]
)
def test_checkpoints_take_no_more_than_their_share(
    monkeypatch: pytest.MonkeyPatch, share: float, cost: float, pause: float
) -> None:
    clock = FakeClock()
    monkeypatch.setattr(checkpointing, "time", clock)
    between = Pause(share)
    assert not between.is_over()  # the first is written at the first validation
    with between.measured():
        clock.now += cost
    clock.now += 0.999 * min(pause, 1e6)
    assert not between.is_over()
    clock.now += 0.002 * min(pause, 1e6)
    assert between.is_over() == math.isfinite(pause)


def test_arguments_of_a_wrong_type_are_refused_in_a_line() -> None:
    with pytest.raises(SettingError, match=r"train: sequences=2\.5 is of type float. Allowed: int"):
        TrainSettings(sequences=2.5)  # type: ignore[arg-type]
    with pytest.raises(SettingError, match=r"lengths=3 is no list. Allowed: lengths=\[3\]"):
        evaluate(lstm(), TASK, lengths=3)  # type: ignore[arg-type]
    with pytest.raises(SettingError, match=r"lengths=2\.5 is not a whole number"):
        evaluate(lstm(), TASK, lengths=[2.5])  # type: ignore[list-item]
    with torch.no_grad(), pytest.raises(ModelError, match=r"outside of torch\.no_grad"):
        train(lstm(), TASK, settings())


def test_a_checkpoint_may_be_named_by_a_string(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    curves = [
        train(lstm(), TASK, settings(), device="cpu", checkpoint=where).curve
        for where in (str(path), path)
    ]
    assert path.exists()
    assert curves[0].equals(curves[1])
