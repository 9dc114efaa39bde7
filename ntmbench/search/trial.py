"""One trial of a search: a model is trained with the values that the study suggests."""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable
from pathlib import Path

from optuna import Trial, TrialPruned

from ntmbench.runs.check import check_possible, initial_model
from ntmbench.search.arguments import Search
from ntmbench.search.space import suggested
from ntmbench.training.loop import train
from ntmbench.training.observer import CurvePoint, Observer
from ntmbench.training.settings import MAX_BATCH_SIZE, TrainSettings

#: Attributes of a trial in its study.
RANK, SEQUENCES, DIVERGED = "rank", "sequences", "diverged"


class Watch(Observer):
    """Counts a training's sequences, and hands its learning curve to a trial that may be pruned."""

    def __init__(self, trial: Trial | None, validate_every: int, *, by_loss: bool) -> None:
        """Take the trial, or None to hand on nothing.

        ``by_loss`` tells whether the curve is that of the loss or of errors.
        """
        self.sequences = 0
        self._trial = trial
        self._validate_every = validate_every
        self._by_loss = by_loss
        self._told = -1

    def stepped(self, sequences: int, loss_bits: Callable[[], float]) -> None:
        """Note the number of sequences so far."""
        self.sequences = sequences

    def validated(self, curve: list[CurvePoint], *, selected: bool) -> None:
        """Report the new points, all of them after training was resumed.

        A point's place is the number of validations that were due, which does not depend on the
        batch size.

        Raises:
            TrialPruned: if the study prunes the trial.
        """
        if self._trial is None:
            return
        for point in curve:
            place = point.sequences // self._validate_every
            if place > self._told:
                self._trial.report(point.loss_bits if self._by_loss else point.errors, place)
                self._told = place
        if self._trial.should_prune():
            raise TrialPruned


def run_trial(search: Search, trial: Trial, folder: Path) -> tuple[float, ...]:
    """Train on each seed and return the mean rank of the selected weights on validation data.

    See ``Selected.rank`` for the rank. The learning curve of the first seed decides whether the
    trial is pruned, and after each seed the mean score so far. Checkpoints lie in ``folder`` until
    the trial has ended, so that one that is interrupted goes on where it was when its values are
    tried again.

    Raises:
        TrialPruned: if the study prunes the trial.
        Interrupted: after SIGINT or SIGTERM, once the checkpoint is written.
        UserError: if the values do not go together.
    """
    values = suggested(trial, search.space)
    ranks: list[tuple[float, ...]] = []
    checkpoints: list[Path] = []
    spent = diverged = 0
    watch: Watch | None = None
    try:
        for offset in range(search.settings.seeds):
            config = search.config(values, offset)
            model = check_possible(config)
            checkpoints.append(folder / f"{config.run_name}.pt")
            watch = Watch(
                trial if offset == 0 else None,
                config.train.validate_every,
                by_loss=not config.task.deterministic,
            )
            result = train(
                model,
                config.task,
                config.train,
                seed=config.seed,
                device=config.device,
                checkpoint=checkpoints[-1],
                identity=config.run_name,
                checkpoint_share=config.checkpoint_share,
                observer=watch,
                fresh=functools.partial(initial_model, config),
            )
            ranks.append(result.rank)
            diverged += result.diverged_after is not None
            spent, watch = spent + int(result.curve["sequences"].iloc[-1]), None
            if offset + 1 < search.settings.seeds:
                _report_mean(trial, ranks, config.train)
    except KeyboardInterrupt:
        raise
    except BaseException:
        _forget(trial, spent + (watch.sequences if watch else 0), checkpoints)
        raise
    trial.set_user_attr(DIVERGED, diverged)
    rank = tuple(statistics.fmean(of_seeds) for of_seeds in zip(*ranks, strict=True))
    trial.set_user_attr(RANK, rank)
    _forget(trial, spent, checkpoints)
    return rank


def _report_mean(trial: Trial, ranks: list[tuple[float, ...]], settings: TrainSettings) -> None:
    """Report the mean score over the seeds so far, at a place behind every learning curve's.

    Raises:
        TrialPruned: if the study prunes the trial.
    """
    curve = (settings.sequences + MAX_BATCH_SIZE) // settings.validate_every
    trial.report(statistics.fmean(rank[0] for rank in ranks), curve + len(ranks))
    if trial.should_prune():
        raise TrialPruned


def _forget(trial: Trial, spent: int, checkpoints: list[Path]) -> None:
    """Note what a trial that has ended has used up, and remove its checkpoints."""
    trial.set_user_attr(SEQUENCES, spent)
    for checkpoint in checkpoints:
        checkpoint.unlink(missing_ok=True)
