"""The contract of engines, with engines of a model that is made for this test."""

from __future__ import annotations

import importlib
import logging
import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn

from ntmbench import registry
from ntmbench.engine.contract import Engine, choose, engine_names
from ntmbench.errors import SettingError, UserError
from ntmbench.ntm.model import NTM
from ntmbench.ntm.settings import NTMSettings
from ntmbench.registry import PluginError, engines_of, register_engine


class Doubling(nn.Module):
    """Doubles its inputs; its memory counts the calls."""

    steps = 0


class Doubler(Engine[Doubling]):
    """An engine that runs sequences that are short enough."""

    modules = ("ntmbench.engine.contract",)

    def __init__(self, name: str, longest: int) -> None:
        self.name = name  # type: ignore[misc]
        self.longest = longest

    def obstacle(self, model: Doubling, inputs: Tensor) -> str | None:
        if inputs.is_complex():
            raise UserError("Complex numbers cannot be doubled here.")
        return f"{len(inputs)} steps" if len(inputs) > self.longest else None

    def run(self, model: Doubling, inputs: Tensor) -> Tensor:
        model.steps += len(inputs)
        return 2 * inputs

    def trace(self, model: Doubling, inputs: Tensor) -> int:
        return model.steps


NTM_ENGINES = engines_of("ntm")
QUICK, STEADY, SLOW = Doubler("quick", 2), Doubler("steady", 4), Doubler("slow", 8)
ENGINES = (QUICK, STEADY, SLOW)


def chosen(requested: str, steps: int, said: set[str] | None = None) -> Engine[Doubling]:
    found = set() if said is None else said
    return choose(ENGINES, requested, Doubling(), torch.ones(steps, 1, 1), found)


@pytest.mark.parametrize(("steps", "engine"), [(1, QUICK), (3, STEADY), (8, SLOW)])
def test_auto_takes_the_first_without_an_obstacle(steps: int, engine: Doubler) -> None:
    assert chosen("auto", steps) is engine


def test_what_was_chosen_computes_the_model() -> None:
    model, inputs = Doubling(), torch.ones(3, 1, 1)
    engine = choose(ENGINES, "auto", model, inputs, set())
    assert torch.equal(engine.run(model, inputs), 2 * inputs)
    assert engine.trace(model, inputs) == 3


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_a_name_takes_its_engine(engine: Doubler) -> None:
    assert chosen(engine.name, 1) is engine


@pytest.mark.parametrize(
    ("requested", "steps", "refusal"),
    [
        ("quick", 3, "model.engine=quick cannot run 3 steps. Allowed: auto, steady, slow."),
        ("steady", 5, "model.engine=steady cannot run 5 steps. Allowed: auto, slow."),
        ("slow", 9, "model.engine=slow cannot run 9 steps. No other engine can."),
        (
            "auto",
            9,
            "No engine can run this Doubling: the quick engine cannot run 9 steps and the steady "
            "engine cannot run 9 steps and the slow engine cannot run 9 steps.",
        ),
        (
            "stedy",
            1,
            "model.engine=stedy is not a choice. Allowed: auto, quick, steady, slow. "
            "Did you mean 'steady'?",
        ),
    ],
)
def test_refused_in_one_line(requested: str, steps: int, refusal: str) -> None:
    with pytest.raises(SettingError) as error:
        chosen(requested, steps)
    assert str(error.value) == refusal


def test_what_no_engine_could_run_is_refused_as_the_engines_say() -> None:
    inputs = torch.ones(1, 1, 1, dtype=torch.complex64)
    with pytest.raises(UserError, match="Complex numbers"):
        choose(ENGINES, "auto", Doubling(), inputs, set())


def test_an_obstacle_is_told_once_and_again_where_nobody_was_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, logger="ntmbench"):
        said: set[str] = set()
        for _ in range(3):
            chosen("auto", 1, said)
            chosen("auto", 5, said)
        chosen("auto", 3, said)
        chosen("auto", 3, set())
    two = "since the quick engine cannot run 5 steps and the steady engine cannot run 5 steps"
    one = "The steady engine runs, since the quick engine cannot run 3 steps."
    assert [record.getMessage() for record in caplog.records] == [
        f"The slow engine runs, {two}.",
        one,
        one,
    ]


def test_the_names_of_engines_are_the_choices_of_the_setting() -> None:
    assert engine_names(ENGINES) == ("auto", "quick", "steady", "slow")
    for name in engine_names(NTM_ENGINES):
        assert NTMSettings(engine=name).engine == name
    with pytest.raises(SettingError) as error:
        NTMSettings(engine="fusd")
    assert str(error.value) == (
        "model.engine=fusd is not a choice. Allowed: auto, fused, eager. Did you mean 'fused'?"
    )


def test_settings_list_their_engines_without_torch_and_numba() -> None:
    code = (
        "import sys, ntmbench.ntm.settings as s; assert s.NTMSettings().engine == 'auto'; "
        "sys.exit(bool({'torch', 'numba'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_eager_engine_does_without_numba() -> None:
    code = (
        "import sys, torch; from ntmbench import NTM; "
        "NTM(3, 2, engine='eager')(torch.rand(2, 1, 3)); "
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("engine", NTM_ENGINES, ids=lambda engine: engine.name)
def test_an_engine_names_modules_that_are_there(engine: Engine[nn.Module]) -> None:
    assert all(importlib.import_module(module) for module in engine.modules)


class Tripler(Engine[Doubling]):
    """An engine of another file."""

    name = "tripled"
    modules = ()

    def obstacle(self, model: Doubling, inputs: Tensor) -> str | None:
        return None

    def run(self, model: Doubling, inputs: Tensor) -> Tensor:
        return 3 * inputs

    def trace(self, model: Doubling, inputs: Tensor) -> int:
        return 0


def test_engines_are_registered_by_their_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_engines", {})
    register_engine("doubling", rank=5)(Tripler)

    class Quicker(Tripler):
        name = "quicker"

    register_engine("doubling", rank=1)(Quicker)
    assert [engine.name for engine in engines_of("doubling")] == ["quicker", "tripled"]
    assert engines_of("nothing") == ()
    with pytest.raises(PluginError, match=r"Two engines of model 'doubling' .* as 'tripled'"):
        register_engine("doubling", rank=2)(Tripler)
    with pytest.raises(PluginError, match=r"Engine 'tripled' .* has rank 5, as 'tripled' has"):
        register_engine("doubling", rank=5)(Tripler)


def test_an_engine_of_the_ntm_is_one_more_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_engines", {"ntm": dict(registry._engines["ntm"])})
    ran = []

    class Noting(type(NTM_ENGINES[1])):  # type: ignore[misc]
        name = "noting"

        def run(self, model: nn.Module, inputs: Tensor) -> Tensor:
            ran.append(len(inputs))
            logits: Tensor = super().run(model, inputs)
            return logits

    register_engine("ntm", rank=-1)(Noting)
    model = NTM(3, 2, controller_size=4, memory_slots=3, word_size=2)
    model(torch.zeros(5, 1, 3))
    assert ran == [5]
    assert NTMSettings(engine="noting").engine == "noting"
