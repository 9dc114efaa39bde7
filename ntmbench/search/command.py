"""`python -m ntmbench.search`: trials, one after the other, until the study has enough."""

from __future__ import annotations

import math
import os
import shlex
import sys
from collections.abc import Sequence

import optuna
import torch
from optuna.trial import TrialState
from rich.console import Console

from ntmbench.commands.application import FAILED, exit_code_of
from ntmbench.runs.check import check_possible, reason_of
from ntmbench.search.arguments import Search, search_from
from ntmbench.search.outcome import conclude, score_label
from ntmbench.search.study import SharedStudy, best_first
from ntmbench.search.trial import RANK, run_trial

#: Failures in a row after which a process gives up.
PATIENCE = 5


def main() -> None:
    """Search as the command line says, and end with the exit codes of `python -m ntmbench`."""
    sys.exit(exit_code_of(lambda: _search(sys.argv[1:])))


def _search(arguments: Sequence[str]) -> int:
    search = search_from(arguments)
    config = search.config()
    check_possible(config)
    torch.set_num_threads(config.threads or len(os.sched_getaffinity(0)))
    console = Console()
    study = SharedStudy(search)
    with study.at_work():
        code = _run_trials(study, search, console)
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


def _run_trials(study: SharedStudy, search: Search, console: Console) -> int:
    """Claim and run trials until there are enough; 1 if this process has given up before."""
    failures = 0
    while (trial := study.claim()) is not None:
        line = _run_one(study, search, trial)
        console.print(
            f"trial {trial.number}: {line}", highlight=False, markup=False, soft_wrap=True
        )
        ended = study.trials()[trial.number]
        failures = failures + 1 if ended.state == TrialState.FAIL else 0
        if failures == PATIENCE:
            console.print(f"{PATIENCE} trials in a row failed: given up.", highlight=False)
            return FAILED
    return 0


def _run_one(study: SharedStudy, search: Search, trial: optuna.Trial) -> str:
    """Run a trial, tell the study how it ended, and say it in a line."""
    try:
        rank = run_trial(search, trial, study.checkpoints)
    except KeyboardInterrupt:
        study.give_back(trial)
        raise
    except optuna.TrialPruned:
        study.study.tell(trial, state=TrialState.PRUNED)
        return "pruned"
    except Exception as error:  # a user's model may raise anything
        reason = reason_of(error)
        study.fail(trial, reason)
        return f"failed: {reason}"
    study.study.tell(trial, math.inf if math.isnan(rank[0]) else rank[0])
    best = best_first(study.trials())[0]
    return (
        f"{rank[0]:.4g} {score_label(search)} "
        f"(best: {best.user_attrs[RANK][0]:.4g}, trial {best.number})"
    )
