"""Several attempts from other initial weights within one budget."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ntmbench import make_model, make_task
from ntmbench.config import TrainSettings
from ntmbench.optimization import learning_rate_at
from ntmbench.settings import SettingError
from ntmbench.training import Monitor, TrainResult, train

TASK = make_task("copy", bits=2, max_length=2)


class Skilled(nn.Module):
    """Answers with the oracle's bits times its skill: all right or, below zero, all wrong."""

    def __init__(self, skill: float) -> None:
        super().__init__()
        self.skill = nn.Parameter(torch.tensor(float(skill)))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.skill * (2 * torch.from_numpy(TASK.oracle(inputs.numpy())) - 1)


class Restarts(Monitor):
    def __init__(self, fail_at: int = 0) -> None:
        self.attempts: list[int] = []
        self.steps = 0
        self.fail_at = fail_at

    def stepped(self, sequences: int, loss_bits: float) -> None:
        self.steps += 1
        if self.steps == self.fail_at:
            raise RuntimeError("power cut")

    def restarted(self, attempt: int) -> None:
        self.attempts.append(attempt)


def settings(**overrides: Any) -> TrainSettings:
    values: dict[str, Any] = {
        "sequences": 40,
        "batch_size": 1,
        "attempts": 4,
        "validate_every": 5,
        "validation_sequences": 16,
        "selection_sequences": 8,
        "learning_rate": 1e-9,
    }
    return TrainSettings(**{**values, **overrides})


def trained_with(skills: list[float]) -> tuple[Skilled, TrainResult, Restarts]:
    monitor = Restarts()
    model = Skilled(skills[0])
    result = train(
        model,
        TASK,
        settings(),
        device="cpu",
        monitor=monitor,
        fresh=lambda attempt: Skilled(skills[attempt]),
    )
    return model, result, monitor


def test_first_attempt_without_a_mistake_is_the_last() -> None:
    model, result, monitor = trained_with([-1, -1, 1, 1])
    assert monitor.attempts == [1, 2]
    assert result.curve["sequences"].max() == 30
    assert result.curve["wrong_bits"].iloc[-1] == 0
    assert result.selected_step > 20
    assert model.skill > 0


def test_attempts_use_up_the_budget_where_none_succeeds() -> None:
    model, result, monitor = trained_with([-3, -1, -2, -2])
    assert monitor.attempts == [1, 2, 3]
    assert result.curve["sequences"].max() == 40
    # The least bad of all attempts is kept.
    assert 10 < result.selected_step <= 20
    assert model.skill.item() == pytest.approx(-1, abs=1e-3)


def test_single_attempt_uses_its_whole_budget() -> None:
    result = train(Skilled(1), TASK, settings(attempts=1), device="cpu")
    assert result.curve["sequences"].max() == 40


def test_several_attempts_need_weights_to_begin_with() -> None:
    with pytest.raises(SettingError, match=r"train\.attempts=4 needs"):
        train(Skilled(1), TASK, settings(), device="cpu")


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
    def make(attempt: int) -> nn.Module:
        widths = TASK.input_width, TASK.output_width
        return make_model("lstm", *widths, seed=attempt, hidden_size=4, layers=1)

    def run(checkpoint: Path, monitor: Monitor) -> list[Tensor]:
        model = make(0)
        train(
            model,
            TASK,
            settings(optimizer=optimizer, learning_rate=1e-2, weight_average=0.9),
            device="cpu",
            checkpoint=checkpoint,
            checkpoint_seconds=0,
            monitor=monitor,
            fresh=make,
        )
        return list(model.state_dict().values())

    undisturbed = run(tmp_path / "a.pt", Monitor())
    with pytest.raises(RuntimeError, match="power cut"):
        run(tmp_path / "b.pt", Restarts(fail_at))
    resumed = run(tmp_path / "b.pt", Monitor())
    assert all(torch.equal(a, b) for a, b in zip(undisturbed, resumed, strict=True))
