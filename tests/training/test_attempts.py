"""Several attempts from other initial weights within one budget."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor, nn

from ntmbench import make_model, make_task
from ntmbench.errors import SettingError
from ntmbench.runs.check import initial_model
from ntmbench.runs.folder import RunFolder
from ntmbench.task import Batch
from ntmbench.training.loop import TrainResult, train
from ntmbench.training.observer import Observer
from ntmbench.training.optimizers import TorchOptimizer, learning_rate_at
from ntmbench.training.settings import TrainSettings
from tests.commands.test_recipes import composed
from tests.conftest import TINY, Ended

TASK = make_task("copy", bits=2, max_length=2)


class Skilled(nn.Module):
    """Answers with the oracle's bits times its skill: all right or, below zero, all wrong."""

    def __init__(self, skill: float) -> None:
        super().__init__()
        self.skill = nn.Parameter(torch.tensor(float(skill)))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.skill * (2 * torch.from_numpy(TASK.oracle(inputs.numpy())) - 1)


def tiny(attempt: int) -> nn.Module:
    widths = TASK.input_width, TASK.output_width
    return make_model("lstm", *widths, seed=attempt, hidden_size=4, layers=1)


class Restarts(Observer):
    def __init__(self, fail_at: int = 0) -> None:
        self.attempts: list[int] = []
        self.losses: list[float] = []
        self.diverged = False
        self.steps = 0
        self.fail_at = fail_at

    def stepped(self, sequences: int, loss_bits: Callable[[], float]) -> None:
        self.losses.append(loss_bits())
        self.steps += 1
        if self.steps == self.fail_at:
            raise RuntimeError("power cut")

    def restarted(self, attempt: int, *, diverged: bool) -> None:
        self.attempts.append(attempt)
        self.diverged = diverged


def settings(**overrides: Any) -> TrainSettings:
    values: dict[str, Any] = {
        "sequences": 40,
        "batch_size": 1,
        "attempts": 4,
        "validate_every": 5,
        "validation_sequences": 16,
        "selection_sequences": 8,
        "patience": 5,
        "learning_rate": 1e-9,
    }
    return TrainSettings(**{**values, **overrides})


def trained_with(skills: list[float]) -> tuple[Skilled, TrainResult, Restarts]:
    observer = Restarts()
    model = Skilled(skills[0])
    result = train(
        model,
        TASK,
        settings(),
        device="cpu",
        observer=observer,
        fresh=lambda attempt: Skilled(skills[attempt]),
    )
    return model, result, observer


def test_first_attempt_without_a_mistake_is_the_last() -> None:
    model, result, monitor = trained_with([-1, -1, 1, 1])
    assert monitor.attempts == [1, 2]
    assert result.curve["sequences"].max() == 30
    assert result.curve["errors"].iloc[-1] == 0
    assert result.selected_step > 20
    assert model.skill > 0


def test_attempts_use_up_the_budget_where_none_succeeds() -> None:
    model, result, monitor = trained_with([-3, -1, -2, -2])
    assert monitor.attempts == [1, 2, 3]
    assert result.curve["sequences"].max() == 40
    # The best weights of all attempts are kept.
    assert 10 < result.selected_step <= 20
    assert model.skill.item() == pytest.approx(-1, abs=1e-3)


def test_single_attempt_uses_its_whole_budget() -> None:
    result = train(Skilled(1), TASK, settings(attempts=1), device="cpu")
    assert result.curve["sequences"].max() == 40


def test_several_attempts_need_weights_to_begin_with() -> None:
    with pytest.raises(SettingError, match=r"train\.attempts=4 needs"):
        train(Skilled(1), TASK, settings(), device="cpu")


def test_attempt_that_diverges_forfeits_what_it_has_left() -> None:
    model, result, monitor = trained_with([math.nan, 1, 1, 1])
    assert monitor.attempts == [1]
    assert monitor.diverged
    assert (result.diverged_after, result.attempts) == (None, 2)
    assert monitor.steps == 5 + 10  # patience, and the whole second attempt
    assert result.curve["sequences"].max() == 20
    assert model.skill > 0


def test_a_last_attempt_that_diverges_is_told_and_not_selected() -> None:
    model, result, monitor = trained_with([-1, -1, -1, math.nan])
    assert (result.diverged_after, result.attempts) == (35, 4)
    assert monitor.steps == 35
    assert model.skill.item() == pytest.approx(-1, abs=1e-3)


def test_forfeited_sequences_are_in_no_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count()
    clock = SimpleNamespace(monotonic=lambda: float(next(ticks)))
    monkeypatch.setattr("ntmbench.training.loop.time", clock)
    _, result, monitor = trained_with([math.nan, 1, 1, 1])
    # Each step reads the clock at its start and, one second later, at its end.
    assert result.sequences_per_second == 1
    assert monitor.steps == 15


@pytest.mark.parametrize("optimizer", ["rmsprop", "adam"])
def test_later_attempt_is_a_training_of_its_own(optimizer: str) -> None:
    """Only the data stream goes on; moments, average, schedule and step count begin anew."""

    class Shifted(type(TASK)):  # type: ignore[misc]
        def train_batch(self, seed: int, step: int, batch_size: int) -> Batch:
            batch: Batch = super().train_batch(seed, step + 10, batch_size)
            return batch

    chosen = settings(
        optimizer=optimizer, learning_rate=1e-2, weight_average=0.9, warmup_sequences=3
    )
    together, alone = Restarts(), Restarts()
    train(tiny(0), TASK, chosen, device="cpu", observer=together, fresh=tiny)
    single = dataclasses.replace(chosen, sequences=10, attempts=1)
    train(tiny(1), Shifted(bits=2, max_length=2), single, device="cpu", observer=alone)
    assert together.losses[10:20] == alone.losses


@pytest.mark.parametrize("optimizer", ["rmsprop", "adam"])
def test_restarted_torch_optimizer_is_a_new_one(optimizer: str) -> None:
    chosen = settings(optimizer=optimizer, learning_rate=1e-2, weight_average=0.9)
    weights = []
    for restarted in (True, False):
        model = tiny(0)
        kind = TorchOptimizer(model, chosen)
        if restarted:
            for number in range(3):
                step_of(model, kind, number)
            model.load_state_dict(tiny(0).state_dict())
            kind.restart()
        step_of(model, kind, 0)
        with kind.averaged():
            weights.append([w.detach().clone() for w in model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))


def step_of(model: nn.Module, optimizer: TorchOptimizer, number: int) -> None:
    optimizer.zero_gradient()
    model(torch.ones(3, 2, TASK.input_width)).square().sum().backward()
    assert optimizer.step(number)


def test_run_names_its_attempts_and_gives_each_other_weights(
    ntmbench: Callable[..., Ended], tmp_path: Path
) -> None:
    ended = ntmbench(*TINY, "train.attempts=2")
    assert ended.code == 0
    assert "Up to 2 attempts of 32 sequences each" in ended.out
    assert "attempt 2 begins anew" in ended.out
    (folder,) = (tmp_path / "results" / "runs").iterdir()
    assert RunFolder(folder).read_status()["attempts"] == 2


def test_weights_of_attempts_differ_and_the_first_are_the_seeds_own() -> None:
    config = composed("copy", "lstm", "seed=7")
    first, second, third = (list(initial_model(config, k).parameters()) for k in range(3))
    own = make_model("lstm", 9, 8, seed=7, **vars(config.model_settings))
    assert all(torch.equal(a, b) for a, b in zip(first, own.parameters(), strict=True))
    assert not torch.equal(first[0], second[0])
    assert not torch.equal(second[0], third[0])
    again = list(initial_model(config, 2).parameters())
    assert all(torch.equal(a, b) for a, b in zip(third, again, strict=True))


@given(steps=st.integers(1, 500), attempts=st.integers(1, 20))
def test_attempts_share_the_steps_evenly(steps: int, attempts: int) -> None:
    assume(attempts <= steps)
    chosen = settings(sequences=steps, attempts=attempts)
    starts = [chosen.attempt_start(attempt) for attempt in range(attempts + 1)]
    lengths = [end - start for start, end in itertools.pairwise(starts)]
    assert (starts[0], starts[-1]) == (0, steps)
    assert max(lengths) - min(lengths) <= 1
    assert max(lengths) == chosen.attempt_steps
    expected = [attempt for attempt, length in enumerate(lengths) for _ in range(length)]
    assert [chosen.attempt_at(step) for step in range(steps)] == expected


def test_more_attempts_than_steps_are_refused() -> None:
    with pytest.raises(SettingError, match=r"train\.attempts=41"):
        settings(attempts=41)


def test_each_attempt_has_the_whole_schedule() -> None:
    falling = settings(attempts=4, learning_rate=1.0)
    assert falling.attempt_steps == 10
    assert learning_rate_at(0, falling) == 1
    assert learning_rate_at(9, falling) == pytest.approx(falling.final_learning_rate)


@pytest.mark.parametrize("optimizer", ["rmsprop", "adam"])
@pytest.mark.parametrize("fail_at", [10, 11, 25])
def test_attempts_resume_to_the_same_numbers(tmp_path: Path, optimizer: str, fail_at: int) -> None:
    def run(checkpoint: Path, observer: Observer) -> list[Tensor]:
        model = tiny(0)
        train(
            model,
            TASK,
            settings(optimizer=optimizer, learning_rate=1e-2, weight_average=0.9),
            device="cpu",
            checkpoint=checkpoint,
            checkpoint_share=1,
            observer=observer,
            fresh=tiny,
        )
        return list(model.state_dict().values())

    undisturbed = run(tmp_path / "a.pt", Observer())
    with pytest.raises(RuntimeError, match="power cut"):
        run(tmp_path / "b.pt", Restarts(fail_at))
    resumed = run(tmp_path / "b.pt", Observer())
    assert all(torch.equal(a, b) for a, b in zip(undisturbed, resumed, strict=True))
