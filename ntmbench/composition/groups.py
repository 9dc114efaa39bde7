"""The groups from which a command line chooses, in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ntmbench import registry

CONFIG_MODULE = "ntmbench.conf"

#: Groups of which every run has one choice: its names, and the settings that a name stands for.
CHOICES: dict[str, tuple[Callable[[], list[str]], Callable[[str], type]]] = {
    "task": (registry.task_names, registry.task_class),
    "model": (registry.model_names, lambda name: registry.model_entry(name).settings),
}
NEEDED = tuple(CHOICES)


@dataclass(frozen=True)
class Layer:
    """Files that a task and a model come with, if there are any."""

    group: str
    #: The group's choice for a task and a model, as in conf/config.yaml.
    choice: str
    #: The file below conf/ that it stands for, where the group has no file of that name itself.
    file: str


#: Groups that a run may leave out, as in ``~recipe``; later ones override earlier ones.
LAYERS = (
    Layer("budget", "{task}", "budget/{family}"),
    Layer("model_recipe", "{model}", "recipe/{model}"),
    Layer("family_recipe", "{task}_{model}", "recipe/{family}_{model}"),
    Layer("recipe", "{task}_{model}", "recipe/{task}_{model}"),
)
OPTIONAL = tuple(layer.group for layer in LAYERS)

#: Presets of the paper that several tasks share, beside the files of single tasks.
PRESETS = (
    Layer("recipe/paper", "{task}_{model}", "recipe/paper/{model}"),
    Layer("recipe/paper", "{task}_{model}_feedforward", "recipe/paper/{model}_feedforward"),
)

#: The group of whole sweeps.
EXPERIMENT = "experiment"


def layer_files() -> Iterator[tuple[str, str, str]]:
    """Group, choice and file of every layer and preset of every task and model."""
    for task in registry.task_names():
        family = registry.task_class(task).family
        for model in registry.model_names():
            names = {"task": task, "family": family, "model": model}
            for layer in (*LAYERS, *PRESETS):
                yield layer.group, layer.choice.format(**names), layer.file.format(**names)
