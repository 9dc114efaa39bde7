"""The recipe that a search ends with: a file as those of conf/recipe."""

from __future__ import annotations

from typing import Any

from hydra import compose
from omegaconf import DictConfig, OmegaConf

from ntmbench.composition.composing import composing, to_run_config
from ntmbench.runs.search_record import SEARCHES, SearchRecord, search_records
from ntmbench.runs.settings import RunConfig
from ntmbench.search.arguments import Search
from ntmbench.search.space import PARTS

#: What a task's budget says for every model, so that no recipe does; and how a search measures.
OF_BUDGET = ("train.sequences", "train.validate_every", "train.validation_sequences")
HEADING = """\
# @package _global_
# Found by a search, which `searches` tells of: runs note it, and their report shows it.
"""


def recipe_text(search: Search, name: str, record: SearchRecord) -> str:
    """A recipe that takes the place of recipe/<task>_<model>, as YAML.

    It has what the search called ``name`` found, and what else the run differs in from one without
    a recipe of task and model: what such a recipe or the command line says. So it states the
    searches that such a recipe rests on, too.
    """
    found = search.base.copy()
    for setting, value in record.found.items():
        OmegaConf.update(found, setting, value)
    without = _without_recipe(search.config())
    recipe: dict[str, dict[str, Any]] = {}
    for part in PARTS:
        for setting, value in found[part].items():
            key = f"{part}.{setting}"
            if key not in OF_BUDGET and (
                key in record.found or value != without[part].get(setting)
            ):
                recipe.setdefault(part, {})[str(setting)] = value
    above = search_records(OmegaConf.to_container(without[SEARCHES], resolve=True))
    run = to_run_config(found)
    stated = {
        earlier: of_earlier
        for earlier, of_earlier in run.searches.items()
        if above.get(earlier) != of_earlier and of_earlier.held(run.identity())
    }
    stated[name] = record
    recipe[SEARCHES] = {search: _literal(told.plain()) for search, told in stated.items()}
    return HEADING + OmegaConf.to_yaml(OmegaConf.create(recipe))


def _literal(values: dict[str, Any]) -> dict[str, Any]:
    """The values for YAML in which ``${`` in a text refers to nothing."""
    return {
        name: value.replace("${", r"\${") if isinstance(value, str) else value
        for name, value in values.items()
    }


def _without_recipe(config: RunConfig) -> DictConfig:
    chosen = [f"task={config.task.name}", f"model={config.model}"]
    with composing():
        composed = compose("config", overrides=chosen, return_hydra_config=True)
        recipe = composed.hydra.runtime.choices.get("recipe")
        return compose("config", overrides=[*chosen, "~recipe"] if recipe else chosen)
