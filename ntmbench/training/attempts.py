"""Attempts: the training sequences are divided among several starts from other weights."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from ntmbench.errors import SettingError
from ntmbench.training.optimizers import Optimizer
from ntmbench.training.settings import TrainSettings
from ntmbench.training.state import TrainState

#: Gives, for the number of an attempt, a model like the one in training with other weights.
Fresh = Callable[[int], nn.Module]


class Attempts:
    """Decides when an attempt has ended, and begins the next one."""

    def __init__(self, settings: TrainSettings, fresh: Fresh | None) -> None:
        """Take the settings, and the source of further attempts' weights.

        Raises:
            SettingError: for several attempts without ``fresh``.
        """
        if settings.attempts > 1 and fresh is None:
            raise SettingError(
                f"train.attempts={settings.attempts} needs ``fresh``, which gives each its weights."
            )
        self._settings = settings
        self._fresh = fresh

    def are_over(self, state: TrainState) -> bool:
        """Whether there is nothing left to train."""
        return state.step >= self._settings.steps or state.diverged or state.done

    def step_within(self, step: int) -> int:
        """The number of a step within its attempt, counted from 0, for its schedule."""
        return step - self._settings.attempt_start(self._settings.attempt_at(step))

    def current(self, state: TrainState) -> int:
        """The attempt that the last step belonged to."""
        return self._settings.attempt_at(state.step - 1)

    def end_with(self, state: TrainState) -> int | None:
        """The attempt that ended with the last step; None while it goes on.

        An attempt that diverges while others remain forfeits the rest of its steps.
        """
        attempt = self.current(state)
        following = self._settings.attempt_start(attempt + 1)
        if state.diverged and self._settings.attempts > 1:
            state.step = following
        return attempt if state.step == following else None

    def follow(
        self, attempt: int, state: TrainState, model: nn.Module, optimizer: Optimizer
    ) -> bool:
        """Begin the next attempt after the last validation of one; return whether it does.

        None follows if the selected weights make no mistake, or if no sequences are left.
        """
        if self._fresh is None or self._settings.attempts == 1:
            return False
        state.done = state.selected is not None and state.selected.wrong_share == 0
        if state.done:
            state.diverged = False  # after the last one had made no mistake
            return False
        if state.step >= self._settings.steps:
            return False
        state.diverged, state.rejected_in_a_row = False, 0
        model.load_state_dict(self._fresh(attempt + 1).state_dict())
        optimizer.restart()
        return True
