"""`python -m ntmbench.search`: trials until the study has enough, and what was found."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from rich.console import Console

from ntmbench.commands.application import FAILED, exit_code_of
from ntmbench.commands.launchers import register_launchers
from ntmbench.runs.check import check_possible
from ntmbench.search.arguments import search_from
from ntmbench.search.launching import run_workers
from ntmbench.search.outcome import conclude
from ntmbench.search.study import SharedStudy
from ntmbench.search.worker import given_up, run_trials


def main() -> None:
    """Search as the command line says, and end with the exit codes of `python -m ntmbench`."""
    sys.exit(exit_code_of(lambda: _search(sys.argv[1:])))


def _search(arguments: Sequence[str]) -> int:
    register_launchers()
    search = search_from(arguments)
    config = search.config()
    check_possible(config)
    console = Console()
    study = SharedStudy(search)
    if search.launcher:
        enough = run_workers(study, search, search.launcher, console)
    elif not (enough := run_trials(study, search, console)):
        console.print(f"{given_up()}: given up.", highlight=False)
    code = 0 if enough else FAILED
    if others := study.at_work_elsewhere():
        noun = "trial is" if others == 1 else "trials are"
        console.print(
            f"{others} {noun} at work in other processes; the last of them writes the recipe.",
            highlight=False,
        )
        return code
    recipe = conclude(study, search, console)
    if recipe is None:
        console.print("No trial was trained to its end.", highlight=False)
        return FAILED
    task, model = config.task.name, config.model
    command = ["python", "-m", "ntmbench", f"--config-dir={study.folder}", f"task={task}"]
    command += [argument for argument in arguments if argument.startswith("task.")]
    for line in (
        f"Recipe: {recipe}",
        f"Copy it to conf/recipe/{task}_{model}.yaml, or run it from where it is:",
        shlex.join([*command, f"model={model}", f"recipe={recipe.stem}"]),
    ):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    return code
