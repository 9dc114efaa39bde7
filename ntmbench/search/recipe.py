"""The recipe that a search ends with: a file as those of conf/recipe."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from hydra import compose
from omegaconf import DictConfig, OmegaConf

from ntmbench.composition.composing import composing
from ntmbench.runs.settings import RunConfig
from ntmbench.search.arguments import Search
from ntmbench.search.space import PARTS

#: What a task's budget says for every model, so that no recipe does; and how a search measures.
OF_BUDGET = ("train.sequences", "train.validate_every", "train.validation_sequences")


def recipe_text(search: Search, values: Mapping[str, Any], budget: Sequence[str]) -> str:
    """A recipe that takes the place of recipe/<task>_<model>, as YAML.

    It has what the search found, and what else the run differs in from one without a recipe of
    task and model: what such a recipe or the command line says. The comment at its top has the
    lines of ``budget``, which tell what the search has used up, and the command.
    """
    found = search.base.copy()
    for name, value in values.items():
        OmegaConf.update(found, name, value)
    recipe: dict[str, dict[str, Any]] = {}
    without = _without_recipe(search.config())
    for part in PARTS:
        for name, value in found[part].items():
            key = f"{part}.{name}"
            if key not in OF_BUDGET and (key in values or value != without[part].get(name)):
                recipe.setdefault(part, {})[str(name)] = value
    command = shlex.join(["python", "-m", "ntmbench.search", *search.arguments])
    lines = [*budget, f"{date.today().isoformat()}:", *command.splitlines()]
    comment = "".join(f"# {line}\n" for line in lines)
    return f"# @package _global_\n{comment}{OmegaConf.to_yaml(OmegaConf.create(recipe))}"


def _without_recipe(config: RunConfig) -> DictConfig:
    chosen = [f"task={config.task.name}", f"model={config.model}"]
    with composing():
        composed = compose("config", overrides=chosen, return_hydra_config=True)
        recipe = composed.hydra.runtime.choices.get("recipe")
        return compose("config", overrides=[*chosen, "~recipe"] if recipe else chosen)
