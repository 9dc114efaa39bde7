"""The text of `python -m ntmbench --help`: names, and settings with defaults and meanings."""

from __future__ import annotations

import importlib.resources
import inspect
import textwrap
from collections.abc import Iterable, Iterator
from importlib.resources.abc import Traversable

from ntmbench import registry
from ntmbench.commands.documentation import Setting, documented
from ntmbench.composition.groups import CHOICES, CONFIG_MODULE, EXPERIMENT, OPTIONAL
from ntmbench.runs.settings import FIXED_PARTS, RunConfig, plain_fields

USAGE = """\
Train, evaluate and compare models on algorithmic memory tasks.

  python -m ntmbench task=copy model=ntm                        train, evaluate, write results/
  python -m ntmbench -m task=copy,recall model=ntm,lstm seed=0,1,2      sweep
  python -m ntmbench model=custom model.target=my_module:MyModel        your own nn.Module
  python -m ntmbench -m +experiment=reference                   the campaign behind the report
  python -m ntmbench task=recall model=ntm --cfg job            show every setting of a run
  python -m ntmbench.search task=recall model=lstm              search settings; has its own --help
  python -m ntmbench.tasks sorting task.bits=4                  all tasks, or an example of one
  python -m ntmbench.report                                     report over results/
"""

WIDTH = 100


def print_help() -> None:
    """Print usage, choices and settings, with those of installed plug-ins."""
    print(USAGE)
    for group, (names, _) in CHOICES.items():
        print(_wrapped(f"{group}= ", ", ".join(names())))
    print(_wrapped("observers= ", ", ".join(registry.observer_names())))
    conf = importlib.resources.files(CONFIG_MODULE)
    for group in (*OPTIONAL, EXPERIMENT):
        shown = f"+{group}= " if group == EXPERIMENT else f"{group}= "
        for files in _files(conf / group):
            print(_wrapped(shown, ", ".join(files)))
    out = ", ".join(f"~{group}" for group in OPTIONAL)
    print()
    print(
        textwrap.fill(
            "Settings and their defaults; any is changed by name=value. Some are changed by what "
            "task and model come with: the budget of the task or of its family, and the recipes "
            "<model>, <family>_<model> and <task>_<model>, where there are any. These groups can "
            f"be taken out: {out}.",
            WIDTH,
        )
    )
    print()
    plain = documented(RunConfig)
    print_settings("", [plain[field.name] for field in plain_fields()])
    for part, settings in FIXED_PARTS.items():
        print()
        print_settings(f"{part}.", documented(settings).values())
    for name in registry.task_names():
        task = registry.task_class(name)
        print(f"\ntask={name}: {_first_line(task)}")
        print_settings("task.", documented(task).values())
    for name in registry.model_names():
        entry = registry.model_entry(name)
        control = " (a control)" if entry.control else ""
        print(f"\nmodel={name}{control}: {_first_line(entry.build)}")
        print_settings("model.", documented(entry.settings).values())


def print_settings(prefix: str, settings: Iterable[Setting]) -> None:
    """Print a line or more for each setting, its name after ``prefix``."""
    print("".join(f"{line}\n" for line in setting_lines(prefix, settings)), end="")


def setting_lines(prefix: str, settings: Iterable[Setting]) -> Iterator[str]:
    """A line or more for each setting: its name after ``prefix``, its default, and what it is."""
    for setting in settings:
        shown = f"  {prefix}{setting.name}={_text(setting.default)}"
        yield _wrapped(f"{shown:<38}  ", setting.help).rstrip()


def _wrapped(start: str, text: str) -> str:
    """``text`` after ``start``, with its further lines indented as far."""
    indent = " " * min(len(start), 40)
    return (
        textwrap.fill(
            text, WIDTH, initial_indent=start, subsequent_indent=indent, break_on_hyphens=False
        )
        or start
    )


def _text(value: object) -> str:
    if isinstance(value, tuple | list):
        return f"[{','.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _first_line(documented_object: object) -> str:
    return (inspect.getdoc(documented_object) or "").partition("\n")[0]


def _files(folder: Traversable, within: str = "") -> Iterator[list[str]]:
    """The names of the YAML files of a folder, then of each folder inside, sorted."""
    if not folder.is_dir():
        return
    inside = sorted(folder.iterdir(), key=lambda found: found.name)
    if files := [f.name.removesuffix(".yaml") for f in inside if f.name.endswith(".yaml")]:
        yield [f"{within}{name}" for name in files]
    for other in inside:
        yield from _files(other, f"{within}{other.name}/")
