"""One process of a search: it claims and runs trials of the study until there are enough."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, cast

import optuna
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from optuna.trial import TrialState
from rich.console import Console

from ntmbench.commands.cells import Note
from ntmbench.commands.console import NamedLines
from ntmbench.commands.sweeps import write_cell
from ntmbench.runs.check import reason_of
from ntmbench.runs.threads import set_threads
from ntmbench.search.arguments import Search
from ntmbench.search.outcome import score_label
from ntmbench.search.study import SharedStudy, best_first
from ntmbench.search.trial import RANK, run_trial
from ntmbench.training.interruption import interrupted_by_sigterm

#: Failures in a row after which a process gives up.
PATIENCE = 5


@dataclass(frozen=True)
class Worker:
    """What each process that a launcher starts does. It can be pickled.

    How it ended is noted as that of a sweep's cell.

    Attributes:
        search: what is searched.
        restarted: whether the launcher starts a process again that was interrupted.
    """

    search: Search
    restarted: bool

    def __call__(self, composed: DictConfig) -> Note:
        """Run trials; Hydra calls this in place of a sweep's job.

        Raises:
            KeyboardInterrupt: when interrupted, if the launcher starts this process again.
        """
        context = HydraConfig.get()
        number = int(context.job.num)
        overrides = [str(override) for override in context.overrides.task]
        note = partial(write_cell, Path(context.runtime.output_dir), number, overrides, None)
        note("running")
        try:
            with interrupted_by_sigterm():
                study = SharedStudy(self.search)
                lines = cast(IO[str], NamedLines(f"worker {number}"))
                enough = run_trials(study, self.search, Console(file=lines, force_terminal=False))
        except KeyboardInterrupt:
            noted = note("interrupted", reason="it was interrupted")
            if self.restarted:
                raise
            return noted
        except Exception as error:  # a launcher might stop the other workers for it
            return note("failed", reason=reason_of(error))
        return note("finished") if enough else note("failed", reason=given_up())


def given_up() -> str:
    """Why a process has given up."""
    return f"{PATIENCE} trials in a row failed"


def run_trials(study: SharedStudy, search: Search, console: Console) -> bool:
    """Claim and run trials until there are enough; False if this process has given up before.

    Raises:
        KeyboardInterrupt: when interrupted; the trial at work is tried again.
    """
    set_threads(search.config().threads)
    failures = 0
    with study.at_work():
        while (trial := study.claim()) is not None:
            line = _run_one(study, search, trial)
            console.print(
                f"trial {trial.number}: {line}", highlight=False, markup=False, soft_wrap=True
            )
            ended = study.trials()[trial.number]
            failures = failures + 1 if ended.state == TrialState.FAIL else 0
            if failures == PATIENCE:
                return False
    return True


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
