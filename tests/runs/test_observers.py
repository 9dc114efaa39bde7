"""Observers: what they are told, in which order, and what those of other packages write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ntmbench import registry
from ntmbench.registry import make_observer, observer_names, register_observer
from ntmbench.runs.folder import RunFolder
from ntmbench.training.observer import CurvePoint, Observer, Observers, RunFacts
from tests.conftest import TINY, Ended
from tests.runs.observed import tensorboard_events, wandb_rows

Command = Callable[..., Ended]
pytestmark = pytest.mark.usefixtures("undrawn")


def only_run(results: Path) -> RunFolder:
    (path,) = (results / "runs").iterdir()
    return RunFolder(path)


class Dummy(Observer):
    """Notes what it is told."""

    told: list[str] = []  # noqa: RUF012 (what all of them were told, in their order)

    def __enter__(self) -> Dummy:
        self.told.append("entered")
        return self

    def __exit__(self, *error: Any) -> None:
        self.told.append("left" if error[0] is None else f"left by {error[0].__name__}")

    def started(self, run: RunFacts) -> None:
        self.told.append(f"started {run.folder.name == run.name} {run.parameters > 0} {run.device}")

    def stepped(self, sequences: int, loss_bits: Callable[[], float]) -> None:
        if sequences == 4:
            self.told.append(f"first step {loss_bits() > 0}")

    def validated(self, curve: list[CurvePoint], *, selected: bool) -> None:
        self.told.append(f"validated {len(curve)}")

    def tested(self, evaluation: pd.DataFrame) -> None:
        self.told.append(f"tested {list(evaluation['length'])}")

    def ended(self, state: str, reason: str | None) -> None:
        self.told.append(f"ended {state}: {reason}")


@pytest.fixture
def dummy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    registry.load_plugins()
    monkeypatch.setattr(registry, "_observers", dict(registry._observers))
    register_observer("dummy")(Dummy)
    Dummy.told.clear()
    yield Dummy.told
    Dummy.told.clear()


def test_an_observer_is_told_of_a_run_from_its_start_to_its_end(
    ntmbench: Command, tmp_path: Path, dummy: list[str]
) -> None:
    ended = ntmbench(*TINY, "device=cpu", "observers=[dummy]")
    assert (ended.code, ended.err) == (0, "")
    assert dummy == [
        "entered",
        "started True True cpu",
        "validated 1",
        "first step True",
        *(f"validated {count}" for count in (2, 3, 4, 5)),
        "tested [3, 5]",
        "ended finished: None",
        "left",
    ]
    assert "validated" not in (only_run(tmp_path / "results").log).read_text()
    # What watched is no part of the run: another observer finds it done.
    assert "already done" in ntmbench(*TINY, "device=cpu", "observers=[lines,bar]").out


def test_an_observer_is_told_of_a_failure(
    ntmbench: Command, dummy: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any, **settings: Any) -> None:
        raise RuntimeError("no electricity")

    monkeypatch.setattr("ntmbench.runs.runner.evaluate_in_detail", fail)
    assert ntmbench(*TINY, "observers=[dummy]").code == 1
    assert dummy[-2:] == ["ended failed: RuntimeError: no electricity", "left by RuntimeError"]


def test_all_observers_are_told_in_their_order() -> None:
    class Named(Observer):
        def __init__(self, name: str) -> None:
            self.name = name

        def restarted(self, attempt: int, *, diverged: bool) -> None:
            told.append(f"{self.name} {attempt} {diverged}")

    told: list[str] = []
    with Observers([Named("a"), Named("b")]) as both:
        both.restarted(3, diverged=True)
    assert told == ["a 3 True", "b 3 True"]


def test_every_call_is_passed_on() -> None:
    """A new call of Observer must reach the observers of a run too."""
    calls = {name for name in vars(Observer) if not name.startswith("_")}
    assert calls <= set(vars(Observers))


def test_unknown_observer_is_refused_in_one_line(ntmbench: Command, tmp_path: Path) -> None:
    ended = ntmbench(*TINY, "observers=[tensorbord]")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "Allowed: bar, lines, tensorboard, wandb." in ended.err
    assert "Did you mean 'tensorboard'?" in ended.err
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("name", ["tensorboard", "wandb"])
def test_an_observer_without_its_package_says_what_to_install(
    ntmbench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    ended = ntmbench(*TINY, f"observers=[{name}]")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert f"pip install 'ntmbench[{name}]'" in ended.err
    assert not (tmp_path / "results").exists()


def test_tensorboard_has_the_curve_and_the_test(ntmbench: Command, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="needs the extra")
    ended = ntmbench(*TINY, "observers=[tensorboard]")
    assert (ended.code, ended.err) == (0, "")
    run = only_run(tmp_path / "results")
    events = tensorboard_events(run)
    curve, grid = pd.read_csv(run.metrics), pd.read_csv(run.evaluation)
    for name in ("loss_bits", "errors", "exact_match"):
        validated = events.Scalars(f"validation/{name}")
        assert [event.step for event in validated] == curve["sequences"].tolist()
        assert [event.value for event in validated] == pytest.approx(curve[name].tolist())
        tested = events.Scalars(f"test/{name}")
        assert [event.step for event in tested] == grid["length"].tolist()
        assert [event.value for event in tested] == pytest.approx(grid[name].tolist())


@pytest.mark.slow
def test_wandb_has_the_curve_the_test_and_the_settings(
    ntmbench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb", reason="needs the extra")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    ended = ntmbench(*TINY, "observers=[wandb]")
    assert ended.code == 0, ended.err
    run = only_run(tmp_path / "results")
    logged = wandb_rows(run)
    curve = pd.read_csv(run.metrics)
    errors = [row["validation/errors"] for row in logged if "validation/errors" in row]
    assert errors == pytest.approx(curve["errors"].tolist())
    assert any(name.startswith("test") for row in logged for name in row)


def test_what_is_registered() -> None:
    assert {"bar", "lines", "tensorboard", "wandb"} <= set(observer_names())
    assert isinstance(make_observer("bar"), Observer)
