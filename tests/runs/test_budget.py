"""Budgets of parameters: a model is as wide as its task's budget allows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hydra import compose
from torch.nn import Linear

from ntmbench import registry
from ntmbench.composition.composing import composing, to_run_config
from ntmbench.errors import ModelError, SettingError
from ntmbench.model import SequenceModel
from ntmbench.registry import make_model, make_task, model_entry
from ntmbench.runs.budget import Budget, with_width
from ntmbench.runs.settings import RunConfig

TASK = make_task("copy")


def parameters(width: int, **settings: int) -> int:
    model = make_model("lstm", TASK.input_width, TASK.output_width, hidden_size=width, **settings)
    return sum(parameter.numel() for parameter in model.parameters())


def composed(*overrides: str) -> RunConfig:
    with composing():
        return to_run_config(compose("config", overrides=list(overrides)))


@pytest.mark.parametrize("width", [1, 2, 3, 7, 8, 9, 64])
@pytest.mark.parametrize("layers", [1, 2])
def test_the_widest_that_fits(width: int, layers: int) -> None:
    exactly = parameters(width, layers=layers)
    for budget, expected in ((exactly, width), (exactly - 1, width - 1), (exactly + 1, width)):
        if expected == 0:
            continue
        found = with_width("lstm", {"hidden_size": 0, "layers": layers}, TASK, Budget(budget))
        assert found == {"hidden_size": expected, "layers": layers}


def test_a_width_that_is_given_stays() -> None:
    assert with_width("lstm", {"hidden_size": 9}, TASK, Budget(100)) == {"hidden_size": 9}


def test_without_a_budget_a_model_has_its_own_width() -> None:
    assert with_width("lstm", {"hidden_size": 0, "layers": 1}, TASK, Budget()) == {"layers": 1}


def test_a_model_without_a_width_is_left_as_it_is() -> None:
    assert with_width("oracle", {}, TASK, Budget(1)) == {}


def test_a_budget_that_no_width_fits_is_refused() -> None:
    least = parameters(1)
    with pytest.raises(SettingError, match=f"which has {least} with model.hidden_size=1. Allowed"):
        with_width("lstm", {"hidden_size": 0, "layers": 2}, TASK, Budget(least - 1))


@pytest.mark.parametrize("slots", [65_536, 2**20])
def test_a_budget_that_is_far_too_small_is_refused_without_the_memory(slots: int) -> None:
    settings = {"memory_slots": slots, "word_size": 16_384, "initial_memory": "learned"}
    with pytest.raises(SettingError, match=r"budget\.parameters=40000 is too few for model=ntm"):
        with_width("ntm", {"controller_size": 0, **settings}, TASK, Budget(40_000))


class Flat(SequenceModel):
    """A model whose parameters do not follow its width."""

    def __init__(self, input_width: int, output_width: int, settings: object) -> None:
        super().__init__()
        self.output = Linear(input_width, output_width)


def test_a_width_that_adds_no_parameters_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._models, "flat", replace(model_entry("lstm"), build=Flat))
    with pytest.raises(ModelError, match=r"no more parameters with model\.hidden_size=2 "):
        with_width("flat", {"hidden_size": 0}, TASK, Budget(10_000))


def test_settings_out_of_range_are_refused_as_such() -> None:
    with pytest.raises(SettingError, match=r"model\.layers=0 is out of range"):
        with_width("lstm", {"hidden_size": 0, "layers": 0}, TASK, Budget(10_000))


#: The widths of the published runs, but for both sorts, whose budgets are others now.
PUBLISHED = {
    ("copy", "lstm"): 43,
    ("copy", "seq2seq"): 50,
    ("repeat_copy", "lstm"): 76,
    ("repeat_copy", "seq2seq"): 90,
    ("recall", "lstm"): 71,
    ("recall", "seq2seq"): 82,
    ("ngrams", "lstm"): 80,
}


@pytest.mark.parametrize(("task", "model"), PUBLISHED)
def test_budgets_give_the_widths_of_the_published_runs(task: str, model: str) -> None:
    config = composed(f"task={task}", f"model={model}")
    assert config.model_settings.hidden_size == PUBLISHED[task, model]
    assert config.identity()["model"]["hidden_size"] == PUBLISHED[task, model]


def test_the_command_line_changes_the_budget_and_the_width() -> None:
    chosen = ("task=copy", "model=lstm")
    assert composed(*chosen, "budget.parameters=0").model_settings.hidden_size == 71
    assert composed(*chosen, "budget.parameters=50000").model_settings.hidden_size > 43
    assert composed(*chosen, "model.layers=1").model_settings.hidden_size > 43
    assert composed(*chosen, "model.hidden_size=12").model_settings.hidden_size == 12
