"""Recipes: the paper's presets have the paper's figures, and models have about the same size."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hydra import compose

from ntmbench.composition.composing import composing, to_run_config
from ntmbench.ntm.settings import NTMSettings
from ntmbench.registry import make_model, make_task, model_entry, model_names, task_names
from ntmbench.runs.settings import RunConfig
from ntmbench.training.settings import TrainSettings
from tests.tiers import by_tier

#: Graves et al. (2014), section 4.6: tables 1 and 2 (heads, controller, learning rate) and 3
#: (units, learning rate). Controllers and LSTMs are given as layers x units.
PAPER: dict[str, dict[str, tuple[Any, ...]]] = {
    "copy": {
        "ntm_feedforward": (1, (1, 100), 1e-4),
        "ntm": (1, (1, 100), 1e-4),
        "lstm": ((3, 256), 3e-5),
    },
    "repeat_copy": {
        "ntm_feedforward": (1, (1, 100), 1e-4),
        "ntm": (1, (1, 100), 1e-4),
        "lstm": ((3, 512), 3e-5),
    },
    "recall": {
        "ntm_feedforward": (4, (1, 256), 1e-4),
        "ntm": (1, (1, 100), 1e-4),
        "lstm": ((3, 256), 1e-4),
    },
    "ngrams": {
        "ntm_feedforward": (1, (1, 100), 3e-5),
        "ntm": (1, (1, 100), 3e-5),
        "lstm": ((3, 128), 1e-4),
    },
    "priority_sort": {
        "ntm_feedforward": (8, (1, 512), 3e-5),
        "ntm": (5, (2, 100), 3e-5),
        "lstm": ((3, 128), 3e-5),
    },
}
PRESETS = [(task, kind) for task, kinds in PAPER.items() for kind in kinds]


def composed(task: str, model: str, *overrides: str) -> RunConfig:
    with composing():
        chosen = [f"task={task}", f"model={model}", *overrides]
        return to_run_config(compose("config", overrides=chosen))


@cache
def preset(task: str, kind: str) -> RunConfig:
    return composed(task, kind.partition("_")[0], f"recipe=paper/{task}_{kind}")


@pytest.mark.parametrize(("task", "kind"), PRESETS)
def test_preset_has_the_papers_sizes(task: str, kind: str) -> None:
    config = preset(task, kind)
    sizes = config.model_settings
    *heads, layers_and_units, learning_rate = PAPER[task][kind]
    assert config.train.learning_rate == learning_rate
    if kind == "lstm":
        assert (sizes.layers, sizes.hidden_size) == layers_and_units
        return
    (both,) = heads
    layers, units = layers_and_units
    # All else, such as what the recipes of a family set, is as in the paper.
    assert sizes == NTMSettings(
        controller="feedforward" if kind == "ntm_feedforward" else "lstm",
        controller_layers=layers,
        controller_size=units,
        read_heads=both,
        write_heads=both,
        memory_slots=128,
        word_size=20,
        initial_state="learned",
        initial_weighting="learned",
        initial_memory="learned",
    )


@pytest.mark.parametrize(("task", "kind"), PRESETS)
def test_presets_optimizer_does_not_depend_on_the_model(task: str, kind: str) -> None:
    """It does not depend on the model's default optimizer either, which is Adam for the LSTM."""
    train = preset(task, kind).train
    expected = TrainSettings(
        sequences=1_000_000,
        batch_size=1,
        optimizer="rmsprop",
        schedule="constant",
        momentum=0.9,
        smoothing=0.95,
        epsilon=1e-4,
        clip_norm=0.0,
        clip_value=10.0,
        validate_every=10_000,
    )
    assert replace(train, learning_rate=expected.learning_rate) == expected


@cache
def parameters(task: str, model: str, *overrides: str) -> int:
    config = composed(task, model, *overrides)
    widths = config.task.input_width, config.task.output_width
    made = make_model(config.model, *widths, **vars(config.model_settings))
    return sum(parameter.numel() for parameter in made.parameters())


#: The tasks of README's table.
README_TASKS = (*PAPER, "sorting")
#: Tasks on which every model is compared with the NTM. The LSTM is on every task, and two others on
#: those of README's table.
WIDE_AND_NARROW = ("concentration", "ngrams", "reverse")
SIZED = [
    name
    for name in model_names()
    if model_entry(name).width is not None and name not in ("ntm", "memoryless", "custom")
]

#: The slow tests take the other models and tasks too: width follows the budget in the same way.
PAIRS = [
    by_tier(task, task, model)
    if model == "lstm"
    else pytest.param(task, model, marks=pytest.mark.slow)
    for task in task_names()
    for model in SIZED
    if model == "lstm"
    or task in WIDE_AND_NARROW
    or (task in README_TASKS and model in ("seq2seq", "stack_rnn"))
    if make_task(task).has_input_phase or not model_entry(model).needs_input_phase
]


def parameters_of_ntm(task: str) -> int:
    """Those of the NTM with an LSTM controller, for which the budgets were made."""
    overrides = ("+experiment=reference/ntm_copy",) if task == "copy" else ()
    return parameters(task, "ntm", *overrides)


@pytest.mark.parametrize(("task", "model"), PAIRS)
def test_baseline_has_as_many_parameters_as_the_ntm(task: str, model: str) -> None:
    with composing():
        assert compose("config", overrides=[f"task={task}"]).budget.parameters
    ours, theirs = parameters_of_ntm(task), parameters(task, model)
    told = f"task={task}: model={model} has {theirs:,} parameters, and model=ntm {ours:,}"
    assert abs(theirs / ours - 1) < 0.1, told


def test_readme_tells_the_share_of_parameters_of_a_feedforward_controller() -> None:
    experiment = "+experiment=reference/ntm_feedforward"
    shares = [
        parameters(task, "ntm", experiment) / parameters_of_ntm(task) for task in README_TASKS
    ]
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    told = f"controller has {100 * min(shares):.0f} to {100 * max(shares):.0f} % of them"
    assert told in " ".join(readme.split())
