"""The YAML in conf/ says what the dataclasses say, and all of it composes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hydra import compose
from omegaconf import OmegaConf

from ntmbench import conf, registry
from ntmbench.commands.composition import composing, to_run_config
from ntmbench.commands.expansion import cells_of, with_experiment
from ntmbench.evaluation.settings import EvaluationSettings
from ntmbench.report.comparison import smallest_p
from ntmbench.report.grouping import with_groups
from ntmbench.report.method import METHOD
from ntmbench.report.pairs import ALPHA, compared_pairs
from ntmbench.runs.settings import RunConfig
from ntmbench.training.settings import TrainSettings

CONF = Path(conf.__path__[0])


def shown(path: Path) -> dict[str, Any]:
    """What a file sets, without Hydra's own keys."""
    return {name: value for name, value in read(path).items() if name not in ("defaults", "name")}


def read(path: Path) -> dict[str, Any]:
    values = OmegaConf.to_container(OmegaConf.load(path))
    assert isinstance(values, dict)
    return {str(name): value for name, value in values.items()}


def defaults(settings: type) -> dict[str, Any]:
    values = {}
    for field in dataclasses.fields(settings):
        if field.default is not dataclasses.MISSING:
            values[field.name] = field.default
        elif field.default_factory is not dataclasses.MISSING:
            values[field.name] = field.default_factory()
    return values


SETTINGS = [
    *((f"task/{name}", registry.task_class(name)) for name in registry.task_names()),
    *((f"model/{name}", registry.model_entry(name).settings) for name in registry.model_names()),
]


@pytest.mark.parametrize(("path", "settings"), SETTINGS)
def test_file_gives_every_setting_its_default(path: str, settings: type) -> None:
    file = CONF / f"{path}.yaml"
    assert shown(file) == defaults(settings)
    assert read(file)["name"] == file.stem


def test_every_file_belongs_to_a_task_or_model() -> None:
    found = [file for group in ("task", "model") for file in CONF.glob(f"{group}/*.yaml")]
    files = {f"{file.parent.name}/{file.stem}" for file in found}
    assert files == {path for path, _ in SETTINGS}


def test_root_gives_every_setting_its_default() -> None:
    root = shown(CONF / "config.yaml")
    assert root["train"] == defaults(TrainSettings)
    assert root["evaluation"] == defaults(EvaluationSettings)
    rest = {name: root[name] for name in root if name not in ("train", "evaluation", "hydra")}
    assert rest == {**defaults(RunConfig), "results_dir": str(RunConfig.results_dir)}


def composed(*overrides: str) -> RunConfig:
    with composing():
        return to_run_config(compose("config", overrides=list(overrides)))


@pytest.mark.parametrize("task", registry.task_names())
def test_every_pair_of_task_and_model_composes(task: str) -> None:
    for model in ("ntm", "lstm", "seq2seq", "memoryless", "constant", "oracle"):
        config = composed(f"task={task}", f"model={model}")
        assert (config.task.name, config.model) == (task, model)


def files_of(group: str) -> list[str]:
    root = CONF / group
    return sorted(str(f.relative_to(root).with_suffix("")) for f in root.rglob("*.yaml"))


RECIPES = files_of("recipe")


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_composes_for_its_pair(recipe: str) -> None:
    pair = recipe.rpartition("/")[2]
    task = max((name for name in registry.task_names() if pair.startswith(name)), key=len)
    model = pair[len(task) + 1 :].partition("_")[0]
    plain = composed(f"task={task}", f"model={model}", "~recipe")
    config = composed(f"task={task}", f"model={model}", f"recipe={recipe}")
    assert (config.task.name, config.model) == (task, model)
    assert config.identity() != plain.identity()


def test_recipes_with_several_attempts_are_those_that_the_report_names() -> None:
    found = {
        recipe
        for recipe in RECIPES
        if (OmegaConf.select(OmegaConf.load(CONF / f"recipe/{recipe}.yaml"), "train.attempts") or 1)
        > 1
    }
    assert found == {"copy_ntm", "repeat_copy_ntm"}
    assert any(
        "those of the NTM on copy and repeat copy have attempts, and no others" in text
        for text in METHOD
    )


def test_command_line_has_the_last_word() -> None:
    config = composed("task=sorting", "model=ntm", "train.sequences=7", "train.learning_rate=0.5")
    assert (config.train.sequences, config.train.learning_rate) == (7, 0.5)


def test_optional_groups_hold_files_for_known_names_alone() -> None:
    """A misspelt file would be passed over in silence."""
    assert set(files_of("budget")) <= set(registry.task_names())
    assert set(files_of("optimizer")) <= set(registry.model_names())
    pairs = {f"{t}_{m}" for t in registry.task_names() for m in registry.model_names()}
    assert {recipe for recipe in RECIPES if "/" not in recipe} <= pairs


# --- Experiments. ---

EXPERIMENTS = files_of("experiment")


def written_out(experiment: str, *overrides: str) -> list[str]:
    return with_experiment([f"+experiment={experiment}", *overrides], sweep=True)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_can_run(experiment: str) -> None:
    for cell in cells_of(written_out(experiment, "seed=0")):
        config = composed(*cell)
        # What is not part of the comparison has a folder of its own, hence a report of its own.
        part = experiment.partition("/")[0]
        own = "" if part == "reference" else f"/{part}"
        assert str(config.results_dir) == f"results/reference{own}"
        model = registry.make_model(config.model, 1, 1)
        assert config.task.has_input_phase or not model.needs_input_phase


def test_experiments_hold_the_runs_that_they_should() -> None:
    counts = {name: len(cells_of(written_out(name))) for name in SIZES}
    assert counts == SIZES
    assert set(SIZES) == set(EXPERIMENTS)


#: Tasks times settings times seeds.
SIZES = {
    "reference/ntm": 6 * 10,
    "reference/ntm_feedforward": 5 * 10,
    "reference/ntm_feedforward_ngrams": 10,
    "reference/lstm": 6 * 8,
    "reference/seq2seq": 5 * 8,
    "reference/controls": 6 * 3 * 3,
    "learning_rates/lstm": 6 * 5,
    "learning_rates/seq2seq": 5 * 5,
    "ablations/memory": 3 * 10,
    "ablations/weighting": 3 * 10,
    "ablations/clip_norm": 4 * 10,
    "ablations/clip_value": 2 * 10,
    "ablations/words": 2 * 2 * 10,
    "ablations/rmsprop": 4 * 10,
    "ablations/adam": 4 * 10,
    "ablations/clip_ngrams": 2 * 8,
    "ablations/slots_ngrams": 3 * 8,
    "ablations/memory_priority_sort": 3 * 8,
}


def test_learning_rates_are_searched_on_other_seeds_than_those_reported() -> None:
    for model in ("lstm", "seq2seq"):
        assert seeds_of(f"reference/{model}") == {f"seed={seed}" for seed in range(8)}
        assert seeds_of(f"learning_rates/{model}") == {"seed=101"}


ABLATIONS = [name for name in SIZES if name.startswith("ablations/")]


def test_ablations_have_seeds_enough_to_find_something_and_none_that_are_reported() -> None:
    """So many pairs reach p = 2 / 2**pairs, which must be left of 5% after the correction."""
    seeds: dict[str, set[int]] = {}
    settings: dict[str, dict[str, Any]] = {}
    for name in ABLATIONS:
        found = {int(seed.partition("=")[2]) for seed in seeds_of(name)}
        for cell in cells_of(written_out(name, "seed=0")):
            config = composed(*cell)
            settings[config.run_name] = config.identity()
            seeds.setdefault(config.run_name, set()).update(found)
    runs = pd.DataFrame({"run": list(settings), "model": "ntm", "seed": 0})
    runs["setting"] = runs["run"]
    runs["task"] = [identity["task"]["name"] for identity in settings.values()]
    for _, rows in with_groups(runs, settings).groupby("section"):
        (common,) = {frozenset(seeds[run]) for run in rows["run"]}
        assert min(common) > 100
        pairs = compared_pairs(dict(zip(rows["label"], rows["model"], strict=True)))
        assert len(pairs) * smallest_p(len(common)) < ALPHA


def seeds_of(experiment: str) -> set[str]:
    cells = cells_of(written_out(experiment))
    return {override for cell in cells for override in cell if override.startswith("seed=")}


@pytest.mark.parametrize("name", ["memory", "weighting", "clip_norm", "rmsprop"])
def test_ablation_of_a_factor_holds_the_recipe_itself(name: str) -> None:
    train = ("train.attempts=1", "train.sequences=15000", "train.selection_sequences=128")
    shorter = (*train, "evaluation.lengths=[20,120]")
    recipe = composed("task=copy", "model=ntm", *shorter).run_name
    cells = cells_of(written_out(f"ablations/{name}", "seed=0"))
    runs = [composed(*cell).run_name for cell in cells]
    assert recipe in runs
    assert len(set(runs)) == len(runs)
