"""What `python -m ntmbench --help` prints: names and settings, read off the files in conf/."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator
from importlib.resources.abc import Traversable

USAGE = """\
Train, evaluate and compare models on algorithmic memory tasks.

  python -m ntmbench task=copy model=ntm                        train, evaluate, write results/
  python -m ntmbench -m task=copy,recall model=ntm,lstm seed=0,1,2      sweep
  python -m ntmbench model=custom model.target=my_module:MyModel        your own nn.Module
  python -m ntmbench -m +experiment=reference                   the campaign behind the report
  python -m ntmbench task=recall model=ntm --cfg job            show every setting of a run
  python -m ntmbench.report                                     report over results/
"""

CHOICES = (
    "task",
    "model",
    "budget",
    "optimizer",
    "recipe",
    "recipe/paper",
    "+experiment/reference",
    "+experiment/learning_rates",
    "+experiment/ablations",
)

#: How the file of a model begins that is there to judge the others by.
CONTROL = "# A control: "


def print_help() -> None:
    """Print usage, choices and settings."""
    conf = importlib.resources.files("ntmbench.conf")
    print(USAGE)
    for group in CHOICES:
        if names := [name for name, _ in _files(conf / group.lstrip("+"))]:
            key, _, folder = group.partition("/")
            print(f"{key}= {', '.join(f'{folder}/{name}' if folder else name for name in names)}")
    print(
        "(and the tasks and models of installed plug-ins)\n\n"
        "Settings and their defaults. Some are changed by the budget, optimizer and recipe that\n"
        "bear the names of task and model; any is changed by name=value.\n"
    )
    text = (conf / "config.yaml").read_text(encoding="utf-8")
    print(text[text.index("seed:") : text.index("\nhydra:")])
    for group in ("task", "model"):
        for name, file in _files(conf / group):
            print(f"{group}={name}{_what_it_controls(file)}")
            print("".join(f"{line}\n" for line in _settings(group, file)))


def _files(folder: Traversable) -> list[tuple[str, Traversable]]:
    """The YAML files of a folder, sorted, each under its name as a choice."""
    files = [file for file in folder.iterdir() if file.name.endswith(".yaml")]
    return sorted((file.name.removesuffix(".yaml"), file) for file in files)


def _what_it_controls(file: Traversable) -> str:
    """What a model is a control for, in brackets; nothing for any other."""
    first, _, _ = file.read_text(encoding="utf-8").partition("\n")
    if not first.startswith(CONTROL):
        return ""
    return f" (control: {first.removeprefix(CONTROL).rstrip('.')})"


def _settings(group: str, file: Traversable) -> Iterator[str]:
    """What a task or model can be told, a line each: what follows the file's own name."""
    lines = file.read_text(encoding="utf-8").splitlines()
    name = next(place for place, line in enumerate(lines) if line.startswith("name:"))
    for line in lines[name + 1 :]:
        yield f"  {line}" if line.startswith("#") else f"  {group}.{line}"
