"""Settings come from their dataclasses, and all of conf/ composes."""

from __future__ import annotations

import copy
import dataclasses
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hydra import compose
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from ntmbench import conf, registry
from ntmbench.commands.documentation import Setting, documented
from ntmbench.commands.expansion import cells_of, with_experiment
from ntmbench.composition.composing import composing, to_run_config
from ntmbench.composition.groups import LAYERS, OPTIONAL
from ntmbench.report.study.grouping import with_groups
from ntmbench.report.study.pairs import ALPHA, compared_pairs
from ntmbench.runs.settings import FIXED_PARTS, RunConfig, plain_fields
from ntmbench.statistics.paired import smallest_p
from tests.tiers import by_tier

CONF = Path(conf.__path__[0])


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


@cache
def composed(*overrides: str) -> RunConfig:
    with composing():
        return to_run_config(compose("config", overrides=list(overrides)))


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


def files_of(group: str) -> list[str]:
    root = CONF / group
    return sorted(str(f.relative_to(root).with_suffix("")) for f in root.rglob("*.yaml"))


RECIPES = files_of("recipe")
FAMILIES = sorted({registry.task_class(name).family for name in registry.task_names()})
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
    assert composed("task=copy", "model=stack_rnn").train.learning_rate == 3e-3


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


# --- Experiments. ---

EXPERIMENTS = files_of("experiment")


#: Tests that share what is composed for them, so that one process should run them.
composing_all = pytest.mark.xdist_group("experiments")


@cache
def written_out(experiment: str) -> tuple[str, ...]:
    return tuple(with_experiment([f"+experiment={experiment}"], sweep=True))


def cells_of_seed_0(experiment: str) -> list[list[str]]:
    return cells_of([*(o for o in written_out(experiment) if not o.startswith("seed=")), "seed=0"])


def with_each_value(cells: list[list[str]]) -> list[list[str]]:
    """Cells among which each value of each setting is found."""
    seen: set[str] = set()
    found = []
    for cell in cells:
        if not seen.issuperset(cell):
            seen.update(cell)
            found.append(cell)
    return found


def folder_of(experiment: str) -> str:
    """Experiments beside the comparison have folders of their own, hence reports of their own."""
    part = experiment.partition("/")[0]
    own = {"reference": "results/reference", "core": "results", "gallery": "results/gallery"}
    return own.get(part, f"results/reference/{part}")


def test_core_is_one_task_of_each_family_for_any_model() -> None:
    custom = ("model=custom", "model.target=torch.nn:Linear")
    tasks = [composed(*cell, *custom).task.name for cell in cells_of(written_out("core"))]
    assert sorted(registry.task_class(task).family for task in tasks) == FAMILIES


def test_the_comparison_holds_all_models_on_core() -> None:
    parts = [cells_of(written_out(f"comparison/{part}")) for part in ("core", "core_at_once")]
    swept = {override for cells in parts for cell in cells for override in cell}
    core = {override for cell in cells_of(written_out("core")) for override in cell}
    assert {o for o in swept if o.startswith("task=")} == core - {"+experiment=core"}
    controls = {name for name in registry.model_names() if registry.model_entry(name).control}
    models = {*registry.model_names()} - controls - {"custom"}
    assert {o for o in swept if o.startswith("model=")} == {f"model={name}" for name in models}


@pytest.mark.slow
@composing_all
@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_can_run(experiment: str) -> None:
    for cell in with_each_value(cells_of_seed_0(experiment)):
        config = composed(*cell)
        assert str(config.results_dir) == folder_of(experiment)
        needs = registry.model_entry(config.model).needs_input_phase
        assert config.task.has_input_phase or not needs


@pytest.mark.slow
@composing_all
def test_experiments_hold_the_runs_that_they_should() -> None:
    counts = {name: len(cells_of(written_out(name))) for name in SIZES}
    assert counts == SIZES
    assert set(SIZES) == set(EXPERIMENTS)


def has_input_phase(task: str) -> bool:
    return registry.make_task(task).has_input_phase


#: The number of all tasks.
GALLERY = len(registry.task_names())
#: The number of runs: tasks times settings times seeds.
SIZES = {
    "core": 13,
    "rates": 3 * 5,
    "comparison/core": 12 * 21 * 3,
    "comparison/core_at_once": 19 * 3,
    "gallery/ntm": GALLERY * 3,
    "gallery/lstm": GALLERY * 3,
    "gallery/seq2seq": len([name for name in registry.task_names() if has_input_phase(name)]) * 3,
    "gallery/stack_rnn": GALLERY * 3,
    "reference/ntm": 5 * 10,
    "reference/ntm_copy": 10,
    "reference/ntm_feedforward": 5 * 10,
    "reference/ntm_feedforward_ngrams": 10,
    "reference/lstm": 6 * 8,
    "reference/seq2seq": 5 * 8,
    "reference/controls": 6 * 3 * 3,
    "learning_rates/lstm": 6 * 5,
    "learning_rates/seq2seq": 5 * 5,
    "sanity/parity_recurrent": 2 * 3,
    "sanity/parity_transformer": 3,
    "sanity/parity_mamba2": 3,
    "sanity/parity_delta_net": 2 * 3,
    "sanity/parity_xlstm": 2 * 3,
    "sanity/modular_arithmetic_recurrent": 2 * 3,
    "sanity/permutations_delta_product": 2 * 3,
    "sanity/reverse_stack_rnn": 3,
    "sanity/duplicate_stack_rnn": 3,
    "sanity/duplicate_tape_rnn": 3,
    "sanity/odds_first_tape_rnn": 3,
    "sanity/key_value_attention": 3,
    "sanity/key_value_fixed_state": 3,
    "sanity/repeat_copy_dnc": 3,
    "sanity/repeat_copy_mended_dnc": 3,
    "ablations/rows": 2 * 10,
    "ablations/controllers": 2 * 10,
    "ablations/memory": 3 * 10,
    "ablations/weighting": 3 * 10,
    "ablations/clip_norm": 4 * 10,
    "ablations/clip_value": 2 * 10,
    "ablations/words": 2 * 2 * 10,
    "ablations/rmsprop": 4 * 10,
    "ablations/adam": 4 * 10,
    "ablations/clip_ngrams": 2 * 8,
    "ablations/slots_ngrams": 3 * 8,
    "ablations_sorts/gain_sorting": 2 * 10,
    "ablations_sorts/keys_sorting": 2 * 10,
    "ablations_sorts/heads_sorting": 2 * 10,
    "ablations_sorts/memory_sorting": 2 * 10,
    "ablations_sorts/batches_sorting": 10,
    "ablations_sorts/heads_priority_sort": 2 * 10,
    "ablations_sorts/shifts_priority_sort": 2 * 10,
    "ablations_sorts/memory_priority_sort": 2 * 10,
    "ablations_sorts/rows_priority_sort": 2 * 10,
}


def test_learning_rates_are_searched_on_other_seeds_than_those_reported() -> None:
    for model in ("lstm", "seq2seq"):
        assert seeds_of(f"reference/{model}") == {f"seed={seed}" for seed in range(8)}
        assert seeds_of(f"learning_rates/{model}") == {"seed=101"}


ABLATIONS = [name for name in SIZES if name.startswith("ablations")]


@pytest.mark.slow
@composing_all
def test_ablations_have_seeds_enough_to_find_something_and_none_that_are_reported() -> None:
    """So many pairs reach p = 2 / 2**pairs, which must be below 5% even after the correction."""
    seeds: dict[str, set[int]] = {}
    settings: dict[str, dict[str, Any]] = {}
    for name in ABLATIONS:
        found = {int(seed.partition("=")[2]) for seed in seeds_of(name)}
        for cell in cells_of_seed_0(name):
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


@pytest.mark.parametrize("name", ["rows", "memory", "weighting", "clip_norm", "rmsprop"])
def test_ablation_of_a_factor_holds_the_recipe_itself(name: str) -> None:
    train = ("train.sequences=10000", "train.selection_sequences=128")
    shorter = (*train, "evaluation.lengths=[20,120]")
    recipe = composed("task=copy", "model=ntm", *shorter).run_name
    runs = [composed(*cell).run_name for cell in cells_of_seed_0(f"ablations/{name}")]
    assert recipe in runs
    assert len(set(runs)) == len(runs)
