"""Settings come from their dataclasses, and all of conf/ composes."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hydra import compose
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from ntmbench import registry
from ntmbench.commands.documentation import Setting, documented
from ntmbench.composition.composing import composing
from ntmbench.composition.groups import LAYERS, OPTIONAL
from ntmbench.runs.settings import FIXED_PARTS, RunConfig, plain_fields
from tests.commands.composed import CONF, FAMILIES, composed, files_of
from tests.tiers import by_tier

#: Overrides that take out everything that changes a default.
PLAIN = tuple(f"~{group}" for group in OPTIONAL)


def defaults(settings: type) -> dict[str, Any]:
    return {name: setting.default for name, setting in documented(settings).items()}


#: Every task with one model and every model with one task: what either has, it has with any other.
EACH_WITH_ONE = [
    *(by_tier(task, task, "lstm") for task in registry.task_names()),
    *(("copy", model) for model in registry.model_names() if model != "lstm"),
]


@pytest.mark.parametrize(("task", "model"), EACH_WITH_ONE)
def test_settings_have_the_defaults_of_their_dataclasses(task: str, model: str) -> None:
    with composing():
        chosen = [f"task={task}", f"model={model}", *PLAIN]
        composed = OmegaConf.to_container(compose("config", overrides=chosen), resolve=True)
    plain: dict[str, Any] = {field.name: field.default for field in plain_fields()}
    assert composed == {
        "task": {"name": task, **defaults(registry.task_class(task))},
        "model": {"name": model, **defaults(registry.model_entry(model).settings)},
        **{part: defaults(settings) for part, settings in FIXED_PARTS.items()},
        **plain,
        "searches": {},
        "results_dir": str(plain["results_dir"]),
        "observers": list(plain["observers"]),
    }


SETTINGS = [
    RunConfig,
    *FIXED_PARTS.values(),
    *(registry.task_class(name) for name in registry.task_names()),
    *(registry.model_entry(name).settings for name in registry.model_names()),
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_setting_is_documented(settings: type) -> None:
    assert not [name for name, setting in documented(settings).items() if not setting.help]


def test_a_setting_whose_source_is_nowhere_has_a_default_all_the_same() -> None:
    made = dataclasses.make_dataclass("Made", [("size", int, 3)])
    assert documented(made) == {"size": Setting("size", 3, "")}


#: What a model needs to be chosen.
CUSTOM = {"custom": ("model.target=torch.nn:Linear",)}


def test_stored_settings_are_shared_by_copies_of_the_store_and_not_by_what_is_composed() -> None:
    with composing():
        (stored,) = {
            id(store.repo["task"]["copy.yaml"])
            for store in (ConfigStore.instance(), copy.deepcopy(ConfigStore.instance()))
        }
        compose("config", overrides=["task=copy", "task.bits=3"])
        assert compose("config", overrides=["task=copy"]).task.bits == 8
        assert id(ConfigStore.instance().repo["task"]["copy.yaml"]) == stored


@pytest.mark.parametrize(("task", "model"), EACH_WITH_ONE)
def test_every_task_and_model_composes_with_its_layers(task: str, model: str) -> None:
    config = composed(f"task={task}", f"model={model}", *CUSTOM.get(model, ()))
    assert (config.task.name, config.model) == (task, model)


@pytest.mark.slow
@pytest.mark.parametrize("task", registry.task_names())
def test_every_pair_of_task_and_model_composes(task: str) -> None:
    for model in ("ntm", "lstm", "seq2seq", "memoryless", "constant", "oracle"):
        config = composed(f"task={task}", f"model={model}")
        assert (config.task.name, config.model) == (task, model)


RECIPES = files_of("recipe")
#: The pair that a recipe is for, or one of the pairs.
PAIRS = {
    **{model: ("copy", model) for model in registry.model_names()},
    **{
        f"{name}_{model}": (task, model)
        for task in registry.task_names()
        for name in (registry.task_class(task).family, task)
        for model in registry.model_names()
    },
}


def pair_of(recipe: str) -> tuple[str, str]:
    return PAIRS[recipe.rpartition("/")[2].removesuffix("_feedforward")]


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_composes_for_its_pair(recipe: str) -> None:
    task, model = pair_of(recipe)
    pair = (f"task={task}", f"model={model}", "~family_recipe")
    above = ("~model_recipe",) if recipe == model else ()
    plain = composed(*pair, *above, "~recipe")
    config = composed(*pair, *above, f"recipe={recipe}")
    assert (config.task.name, config.model) == (task, model)
    assert config.identity() != plain.identity()


def test_no_recipe_of_a_model_is_taken_for_that_of_a_pair() -> None:
    """Such a model has its recipe in model_recipe/: stack_rnn is also the task stack with rnn."""
    models, tasks = registry.model_names(), registry.task_names()
    groups = {*tasks, *FAMILIES}
    pairs = {f"{group}_{model}" for group in groups for model in models}
    assert "stack_rnn" in pairs
    assert not set(models) & pairs & set(RECIPES)
    assert composed("task=copy", "model=stack_rnn").train.learning_rate == 1e-2


def test_recipes_come_in_layers_of_which_the_later_has_the_last_word() -> None:
    pair = ("task=priority_sort", "model=ntm")
    whole = composed(*pair)
    assert whole.model_settings.input_gain == 10  # the family's
    assert (whole.model_settings.read_heads, whole.train.learning_rate) == (3, 5e-4)  # the task's
    of_family = composed(*pair, "~recipe")
    assert (of_family.model_settings.input_gain, of_family.model_settings.read_heads) == (10, 2)
    assert of_family.train.learning_rate == 5e-4
    assert composed("task=sorting", "model=ntm").train.learning_rate == 5e-4
    of_task = composed(*pair, "~family_recipe")
    assert (of_task.model_settings.input_gain, of_task.train.warmup_sequences) == (1, 20_000)
    of_model = composed("task=repeat_copy", "model=seq2seq", "~recipe")
    assert (of_model.train.optimizer, of_model.train.learning_rate) == ("adam", 1e-2)
    without = composed("task=repeat_copy", "model=seq2seq", "~model_recipe")
    assert (without.train.optimizer, without.train.learning_rate) == ("rmsprop", 3e-3)


def test_budget_is_the_tasks_or_else_the_familys() -> None:
    ours, theirs = composed("task=priority_sort"), composed("task=bucket_sort")
    assert (ours.train.sequences, theirs.train.sequences) == (300_000, 200_000)
    assert ours.train.validate_every == theirs.train.validate_every == 8_000
    chosen = composed("task=copy", "budget=recall")
    assert chosen.train.sequences == composed("task=recall").train.sequences


def test_recipes_with_several_attempts_are_those_that_the_report_names() -> None:
    found = {
        recipe
        for recipe in RECIPES
        if (OmegaConf.select(OmegaConf.load(CONF / f"recipe/{recipe}.yaml"), "train.attempts") or 1)
        > 1
    }
    assert found == {"repeat_copy_ntm"}
    told = " ".join((Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8").split())
    assert "on repeat copy the NTM, and no other model, may begin anew" in told


STATED = [
    recipe
    for recipe in RECIPES
    if OmegaConf.select(OmegaConf.load(CONF / f"recipe/{recipe}.yaml"), "searches") is not None
]
#: What is on record of the searches for learning rates: a row for each task, model and rate.
RATES = CONF.parent / "results/reference/learning_rates/report/tables/summary.csv"
#: The same for the models that were added later: a row for each model, rate and task.
FIVE_RATES = CONF.parent / "results/reference/rates/report/tables/settings_compared.csv"


@pytest.mark.parametrize("recipe", STATED)
def test_a_recipe_has_the_values_that_it_says_were_found(recipe: str) -> None:
    task, model = pair_of(recipe)
    config = composed(f"task={task}", f"model={model}", f"recipe={recipe}")
    assert config.searches
    for record in config.searches.values():
        assert record.held(config.identity()) == record.found


@pytest.mark.parametrize("model", ["lstm", "seq2seq"])
def test_recipes_state_the_search_for_learning_rates_that_is_on_record(model: str) -> None:
    table = pd.read_csv(RATES)
    rows = table[table["model"] == model]
    sequences = rows.groupby("task")["trained"].first().to_dict()
    for task, of_task in rows.groupby("task"):
        record = composed(f"task={task}", f"model={model}").searches[f"learning_rates/{model}"]
        assert record.trials == len(of_task)
        assert record.sequences == sequences
        assert record.total_sequences == rows["trained"].sum()
        assert set(record.seeds) == set(of_task["seeds"])
        # N-grams are judged by the loss, all others by errors.
        score = "validation_loss_bits" if task == "ngrams" else "validation_wrong_bits"
        best = of_task.sort_values(score)["label"].iloc[0]
        assert best == f"{model} (train.learning_rate={record.found['train.learning_rate']})"


@pytest.mark.parametrize("model", pd.read_csv(FIVE_RATES)["model"].unique())
def test_recipes_state_the_rate_that_did_best_of_five(model: str) -> None:
    table = pd.read_csv(FIVE_RATES)
    rows = table[table["model"] == model]
    config = composed("task=duplicate", f"model={model}")
    record = config.searches["rates"]
    assert set(rows["setting"]) == set(record.found) == {"train.learning_rate"}
    assert record.trials == rows["value"].nunique()
    assert set(record.sequences) == set(rows["section"])
    assert rows.groupby(["value", "section"]).ngroups == len(rows)
    assert (rows["runs"] == len(record.seeds)).all()
    assert record.total_sequences == record.trials * sum(record.sequences.values())
    assert record.command.endswith(f" model={model}")
    assert rows.loc[rows["best"], "value"].unique() == [record.found["train.learning_rate"]]
    assert config.train.learning_rate == record.found["train.learning_rate"]


def test_what_is_stated_of_searches_changes_no_identity() -> None:
    plain = composed("task=copy", "model=lstm")
    assert plain.searches
    assert dataclasses.replace(plain, searches={}).run_name == plain.run_name


def test_layers_are_those_of_the_configuration() -> None:
    defaults = OmegaConf.to_container(OmegaConf.load(CONF / "config.yaml"), resolve=False)
    assert isinstance(defaults, dict)
    optional = [entry for entry in defaults["defaults"] if next(iter(entry)).startswith("optional")]
    layers = {f"optional {layer.group}": layer.choice.replace("{", "${") for layer in LAYERS}
    assert {name: choice for entry in optional for name, choice in entry.items()} == layers
    assert [next(iter(entry)) for entry in optional] == list(layers)


def test_command_line_has_the_last_word() -> None:
    config = composed("task=sorting", "model=ntm", "train.sequences=7", "train.learning_rate=0.5")
    assert (config.train.sequences, config.train.learning_rate) == (7, 0.5)


def test_optional_groups_hold_files_for_known_names_alone() -> None:
    """A misspelt file would be ignored silently."""
    assert set(files_of("budget")) <= {*registry.task_names(), *FAMILIES}
    assert {recipe for recipe in RECIPES if "/" not in recipe} <= set(PAIRS)
