"""Validation, and the selection of weights by it."""

from __future__ import annotations

from torch import nn

from ntmbench.evaluation.grid import score_batch
from ntmbench.evaluation.scores import Scores, pool
from ntmbench.task import Batch, Task
from ntmbench.training.observer import CurvePoint
from ntmbench.training.optimizers import Optimizer
from ntmbench.training.settings import TrainSettings
from ntmbench.training.state import Selected, TrainState


class Validator:
    """Scores a model's current weights on validation data, and keeps the best."""

    def __init__(self, model: nn.Module, task: Task, settings: TrainSettings) -> None:
        """Draw the validation data, with the lengths of training and of each selection length."""
        self._model = model
        self._task = task
        self._batch_size = settings.batch_size
        self._validation = list(task.validation_batches(settings.validation_sequences))
        self._selection = [
            (length, task.selection_set(length, settings.selection_sequences))
            for length in task.selection_lengths
        ]
        self._interval = settings.validation_interval

    def is_due(self, step: int) -> bool:
        """Whether a validation is due after so many steps."""
        return step % self._interval == 0

    def validate(self, state: TrainState, optimizer: Optimizer) -> bool:
        """Add a point to the curve; return whether the current weights were selected."""
        with optimizer.averaged():
            point, candidate = self._validate(state)
        state.curve.append(point)
        by_loss = not self._task.deterministic
        if candidate is None or not candidate.beats(state.selected, by_loss=by_loss):
            return False
        state.selected = candidate
        return True

    def _validate(self, state: TrainState) -> tuple[CurvePoint, Selected | None]:
        """Score the model's current weights, for the learning curve and for the selection.

        The second is None for weights that do worse at the lengths of training than the selected
        ones. Scores at longer lengths, which take longest, could not make up for that.
        """
        pooled = pool(score_batch(self._model, self._task, batch) for batch in self._validation)
        point = CurvePoint(
            state.step,
            state.step * self._batch_size,
            state.seconds,
            pooled.loss_bits,
            pooled.errors,
            pooled.exact_match,
        )
        longest = self._task.length_range[1]
        within = [pooled, *(self._scores(*of) for of in self._selection if of[0] <= longest)]
        within_errors = sum(s.errors for s in within) / len(within)
        best = state.selected
        if self._task.deterministic and best is not None and within_errors > best.within_errors:
            return point, None
        sets = [*within, *(self._scores(*of) for of in self._selection if of[0] > longest)]
        wrong = sum(s.errors / s.scored for s in sets) / len(sets)
        loss = sum(s.loss_bits / s.scored for s in sets) / len(sets)
        weights = {
            name: tensor.detach().clone() for name, tensor in self._model.state_dict().items()
        }
        return point, Selected(state.step, within_errors, wrong, loss, weights)

    def _scores(self, length: int, batch: Batch) -> Scores:
        return score_batch(self._model, self._task, batch, self._task.demand(length))
