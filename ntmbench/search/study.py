"""The study of a search: one journal file that any number of processes work on.

Each process holds a lock on a file of its own for as long as it lives, and a trial names the
process that runs it. So a trial whose process was killed is found out, and its values are tried
again. The number of trials is exact however many processes there are, because a trial is claimed
under a lock. The processes are the workers that a launcher starts, the same command given several
times, or both.

``ntmbench.runs.lock`` says on what the locks rely between machines.
"""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.trial import FrozenTrial, TrialState

from ntmbench.data.identity import fingerprint
from ntmbench.data.randomness import stable_id
from ntmbench.errors import SettingError, UserError
from ntmbench.runs import lock
from ntmbench.search.arguments import Search
from ntmbench.search.journal import Journal
from ntmbench.search.space import holds, values_now
from ntmbench.search.trial import RANK

#: Trials that the pruner compares with, at the least.
COMPARED = 5

IDENTITY, WORKER, REASON, TODAY = "identity", "worker", "reason", "today"
#: The number of the trial in which a trial's values were tried before.
TRIED_IN = "tried_in"
#: Optuna's name for the values that a trial was enqueued with.
FIXED = "fixed_params"
COUNTED = (TrialState.COMPLETE, TrialState.PRUNED)

optuna.logging.set_verbosity(optuna.logging.WARNING)


class SharedStudy:
    """The trials of a search, those of other processes and of earlier ones included."""

    def __init__(self, search: Search) -> None:
        """Open the study, or begin it with a trial of today's values, those without a search.

        Raises:
            SettingError: if another search has its name.
            UserError: if its journal cannot be read.
        """
        self._settings = search.settings
        self._space = search.space
        identity = _identity(search)
        config = search.config()
        self.name = search.settings.name or f"{config.task.name}-{config.model}-{identity}"
        self.folder = config.results_dir / "searches" / self.name
        for folder in (self.checkpoints, self._workers):
            folder.mkdir(parents=True, exist_ok=True)
        self._me = secrets.token_hex(8)
        journal = self.folder / "journal.log"
        with self._locked():
            try:
                self.study = optuna.create_study(
                    study_name=self.name,
                    storage=JournalStorage(Journal(journal)),
                    pruner=_pruner(search),
                    load_if_exists=True,
                )
            except (ValueError, KeyError) as error:
                raise UserError(
                    f"{journal} cannot be read: {error}. Move its folder away to begin anew."
                ) from error
            self._begin_with(search, identity)

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints of trials at work."""
        return self.folder / "checkpoints"

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Within the context this process may claim trials."""
        path = self._workers / self._me
        with lock.held(path):
            try:
                yield
            finally:
                path.unlink(missing_ok=True)

    def claim(self) -> optuna.Trial | None:
        """The next trial, or None if as many as there shall be are counted or at work."""
        with self._locked():
            if not self._due():
                return None
            self.study.sampler = self._sampler(self.trials())
            trial = self.study.ask()
            trial.set_user_attr(WORKER, self._me)
            return trial

    def due(self) -> int:
        """How many trials are still to be claimed."""
        with self._locked():
            return self._due()

    def counted(self) -> int:
        """The number of trials that are trained to the end or pruned."""
        return sum(trial.state in COUNTED for trial in self.trials())

    def is_complete(self) -> bool:
        """Whether as many trials as there shall be have ended."""
        return self.counted() >= self._settings.trials

    def give_back(self, trial: optuna.Trial) -> None:
        """End a trial that was interrupted; its values are tried again."""
        with self._locked():
            self._try_again(trial.number)

    def fail(self, trial: optuna.Trial, reason: str) -> None:
        """End a trial that cannot be trained."""
        trial.set_user_attr(REASON, reason)
        self.study.tell(trial, state=TrialState.FAIL)

    def trials(self) -> list[FrozenTrial]:
        """All trials, by number."""
        return self.study.get_trials(deepcopy=False)

    def at_work_elsewhere(self) -> int:
        """The number of trials that live processes run."""
        with self._locked():
            self._take_back_abandoned()
        return sum(trial.state == TrialState.RUNNING for trial in self.trials())

    def _due(self) -> int:
        self._take_back_abandoned()
        begun = sum(trial.state in (*COUNTED, TrialState.RUNNING) for trial in self.trials())
        return max(0, self._settings.trials - begun)

    def _begin_with(self, search: Search, identity: str) -> None:
        recorded = self.study.user_attrs.get(IDENTITY)
        if recorded is not None and recorded != identity:
            raise SettingError(
                f"search.name={self.name} was begun with other settings or ranges. "
                "Allowed: the same command, or another name."
            )
        if recorded is None:
            now = values_now(search.config(), search.space)
            held = {name: value for name, value in now.items() if holds(search.space[name], value)}
            whole = len(held) == len(now)
            self.study.enqueue_trial(held, user_attrs={TODAY: True} if whole else None)
            self.study.set_user_attr(IDENTITY, identity)

    def _sampler(self, trials: list[FrozenTrial]) -> BaseSampler:
        """One seeded by the number of trials so far: processes do not try the same values."""
        begun = sum(trial.state != TrialState.WAITING for trial in trials)
        seed = stable_id(f"{self.study.user_attrs[IDENTITY]}-{begun}") % 2**32
        if self._settings.sampler == "random":
            return RandomSampler(seed=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)  # of constant_liar, in optuna 4
            # What others are trying counts as bad, so that it is not tried twice.
            return TPESampler(seed=seed, constant_liar=True)

    def _take_back_abandoned(self) -> None:
        """End the trials of processes that were killed; their values are tried again."""
        for trial in self.trials():
            if trial.state == TrialState.RUNNING and not self._lives(trial.user_attrs.get(WORKER)):
                self._try_again(trial.number)

    def _try_again(self, number: int) -> None:
        """End a trial that runs, and queue its values again.

        They are queued first: if the process is killed in between, the next one finds them there
        and only ends the trial.
        """
        trials = self.trials()
        trial = trials[number]
        if trial.state.is_finished():  # its process has told the study meanwhile
            return
        values = {**trial.system_attrs.get(FIXED, {}), **trial.params}
        if values and all(other.user_attrs.get(TRIED_IN) != number for other in trials):
            today = {TODAY: True} if trial.user_attrs.get(TODAY) else {}
            self.study.enqueue_trial(values, user_attrs={TRIED_IN: number, **today})
        self.study.tell(number, state=TrialState.FAIL)

    def _lives(self, worker: str | None) -> bool:
        if worker is None:  # it was killed while it claimed the trial
            return False
        if worker == self._me:
            return True
        path = self._workers / worker
        if lock.is_held(path):
            return True
        path.unlink(missing_ok=True)  # of a process that was killed
        return False

    @property
    def _workers(self) -> Path:
        return self.folder / "workers"

    def _locked(self) -> AbstractContextManager[None]:
        return lock.waited_for(self.folder / ".lock")


def best_first(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    """The finished trials: first the one whose weights training itself would select."""
    finished = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    return sorted(finished, key=lambda trial: (trial.user_attrs[RANK], trial.number))


def _identity(search: Search) -> str:
    """What stands for everything that changes the score of a trial with given values."""
    identity: dict[str, Any] = search.config().identity()
    del identity["evaluation"]  # of tests, which a search has none of
    for name in search.space:
        part, _, field = name.partition(".")
        identity[part].pop(field, None)
    ranges = {name: repr(values) for name, values in search.space.items()}
    return fingerprint({**identity, "space": ranges, "seeds": search.settings.seeds})


def _pruner(search: Search) -> BasePruner:
    if search.settings.prune_after == 1:
        return NopPruner()
    train = search.config().train
    validations = train.sequences / train.validate_every
    return MedianPruner(COMPARED, n_warmup_steps=round(search.settings.prune_after * validations))
