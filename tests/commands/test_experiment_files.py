"""Every experiment of conf/ can run, and holds the runs that it should."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd
import pytest

from ntmbench import registry
from ntmbench.commands.expansion import cells_of, with_experiment
from ntmbench.report.study.grouping import with_groups
from ntmbench.report.study.pairs import ALPHA, compared_pairs
from ntmbench.statistics.paired import smallest_p
from tests.commands.composed import FAMILIES, composed, files_of

EXPERIMENTS = files_of("experiment")


#: Tests that share what is composed for them, so that one process should run them.
composing_all = pytest.mark.xdist_group("experiments")


@cache
def written_out(experiment: str) -> tuple[str, ...]:
    return tuple(with_experiment([f"+experiment={experiment}"], sweep=True))


def cells_of_seed_0(experiment: str) -> list[list[str]]:
    return cells_of([*(o for o in written_out(experiment) if not o.startswith("seed=")), "seed=0"])


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
    controls = {name for name in registry.model_names() if registry.model_entry(name).control}
    models = {*registry.model_names()} - controls - {"custom"}
    core = {override for cell in cells_of(written_out("core")) for override in cell}
    for parts, held in [(("core", "core_at_once"), models), (("controls",), controls)]:
        cells = [cell for part in parts for cell in cells_of(written_out(f"comparison/{part}"))]
        swept = {override for cell in cells for override in cell}
        assert {o for o in swept if o.startswith("task=")} == core - {"+experiment=core"}
        assert {o for o in swept if o.startswith("model=")} == {f"model={name}" for name in held}


@pytest.mark.slow
@composing_all
@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_can_run(experiment: str) -> None:
    for cell in cells_of_seed_0(experiment):
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
    "comparison/controls": 13 * 3 * 3,
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
