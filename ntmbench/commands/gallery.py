"""``python -m ntmbench.tasks [task] [setting=value ...]``: all tasks, or one with an example."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ntmbench.commands.documentation import documented
from ntmbench.commands.grammar import number_of_values, parse
from ntmbench.commands.help import setting_lines
from ntmbench.data.families import family_place
from ntmbench.data.lengths import MAX_LENGTH, MAX_SEQUENCES
from ntmbench.errors import SettingError, UserError, check_choice, check_whole, did_you_mean
from ntmbench.evaluation.description import answers_of, example_text, readable_length, sentence
from ntmbench.registry import make_task, task_names
from ntmbench.task import Task

#: The width of what is written elsewhere than to a terminal.
WIDTH = 150

#: What can be given beside the settings of a task.
LOOKS = ("length", "sequence")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the gallery or an example; the exit code is 2 for what the user can mend."""
    parser = argparse.ArgumentParser(
        prog="python -m ntmbench.tasks",
        description="Print all tasks; or the settings of one, and a test sequence with any "
        "settings: python -m ntmbench.tasks sorting task.bits=4 length=5",
    )
    parser.add_argument("task", nargs="?", help="the task to look at; without it all are listed")
    parser.add_argument(
        "settings",
        nargs="*",
        metavar="name=value",
        help="settings of the task (task.bits=4), the length of the sequence (length=5), and its "
        "number among the test sequences (sequence=3)",
    )
    given = parser.parse_args(arguments)
    console = Console()
    if not console.is_terminal:  # in a pipe or a file lines may be long
        console = Console(width=WIDTH)
    try:
        if given.task is None:
            console.print(gallery([make_task(name) for name in task_names()]))
        else:
            show_example(given.task, given.settings, console)
    except UserError as error:
        print(f"ntmbench: {error}", file=sys.stderr)
        return 2
    return 0


def gallery(tasks: Sequence[Task]) -> Table:
    """A row for each task, by family."""
    table = Table(header_style="bold", pad_edge=False)
    for heading in ("family", "task", "what it asks", "answers", "length counts", "train", "test"):
        table.add_column(heading, no_wrap=heading in ("family", "task", "train"))
    family = None
    for task in sorted(tasks, key=lambda task: (family_place(task.family), task.name)):
        if family not in (None, task.family):
            table.add_section()
        shortest, longest = task.length_range
        table.add_row(
            task.family if task.family != family else "",
            task.name,
            sentence(task),
            answers_of(task.answer),
            task.axis,
            f"{shortest}" if shortest == longest else f"{shortest} to {longest}",
            " ".join(map(str, task.test_lengths)),
        )
        family = task.family
    return table


def show_example(name: str, arguments: Sequence[str], console: Console) -> None:
    """Print a task's settings with their defaults, and one test sequence with what is asked in it.

    Raises:
        SettingError: for an unknown task or setting, or a value out of range.
    """
    check_choice("task", name, task_names())
    settings, looks = _parsed(name, arguments)
    task = make_task(name, **settings)
    sequence = looks.get("sequence", 0)
    check_whole("sequence", sequence, 0, MAX_SEQUENCES - 1)
    if "length" in looks:
        length = looks["length"]
        check_whole("length", length, task.shortest_length, MAX_LENGTH)
    else:
        length = readable_length(task)
    batch = task.test_set(length, sequence + 1)[sequence:]
    chance = task.chance(length).errors
    scored = int(batch.mask.sum()) * task.answer.answers_per_step
    unit = task.answer.unit if scored == 1 else f"{task.answer.unit}s"
    console.print(Text(f"{task.name} ({task.family}): {sentence(task)}", style="bold"))
    for line in setting_lines("task.", documented(type(task)).values()):
        console.print(Text(line))
    console.print()
    console.print(
        f"test sequence {sequence} of {length} {task.axis}: {len(batch.inputs)} steps, {scored} "
        f"{unit} asked for, {chance:.3g} wrong by chance",
        highlight=False,
    )
    console.print()
    console.print(Text(example_text(task, batch)))


def _parsed(task: str, arguments: Sequence[str]) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """The task's settings, and what says which sequence to look at."""
    settings: dict[str, Any] = {}
    looks: dict[str, Any] = {}
    for argument in arguments:
        override = parse(argument)
        key = override.get_key_element()
        if override.is_sweep_override() or number_of_values(override) != 1:
            raise SettingError(f"{argument} has several values. Allowed: one, as in task.bits=4.")
        value = override.value()
        if key in LOOKS:
            looks[key] = value
        elif key.startswith("task."):
            settings[key.removeprefix("task.")] = value
        else:
            near = did_you_mean(key, [*LOOKS, f"task.{key}"])
            raise SettingError(
                f"{key} is not a setting here. Allowed: settings of the task, as in task.{key}, "
                f"and {', '.join(LOOKS)}.{near}"
            )
    return settings, looks
