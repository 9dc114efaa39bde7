"""The training loop: a batch, its gradient, a step; validate, select, checkpoint, resume."""

from __future__ import annotations

import functools
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import torch
from torch import nn

from ntmbench.data.identity import fingerprint, identity_of
from ntmbench.errors import ModelError
from ntmbench.evaluation.scores import mean_loss_bits
from ntmbench.model import SequenceModel
from ntmbench.task import Task
from ntmbench.training.attempts import Attempts, Fresh
from ntmbench.training.batches import TrainingBatches
from ntmbench.training.checkpointing import Checkpointer
from ntmbench.training.device import training_device
from ntmbench.training.gradient import backward, own_random_state
from ntmbench.training.interruption import Interrupted, stop_requests
from ntmbench.training.observer import Observer
from ntmbench.training.optimizers import make_optimizer
from ntmbench.training.selection import Validator
from ntmbench.training.settings import TrainSettings
from ntmbench.training.state import TrainState


@dataclass(frozen=True)
class TrainResult:
    """The result of training; the model holds the selected weights.

    ``rank`` is that of the selected weights on validation data, see ``Selected.rank``.
    ``diverged_after`` is the number of steps after which training gave up for want of finite
    numbers. ``attempts`` is the number of attempts that were begun.
    """

    curve: pd.DataFrame
    selected_step: int
    rank: tuple[float, ...]
    sequences_per_second: float
    seconds: float
    rejected_steps: int
    diverged_after: int | None
    attempts: int


def train(
    model: nn.Module,
    task: Task,
    settings: TrainSettings | None = None,
    *,
    seed: int = 0,
    device: str = "auto",
    checkpoint: str | Path | None = None,
    identity: str = "",
    checkpoint_share: float = 0.01,
    observer: Observer | None = None,
    fresh: Fresh | None = None,
) -> TrainResult:
    """Train a model on a task, and leave the selected weights in it.

    Training resumes from the file ``checkpoint`` if it exists, and reaches the numbers of an
    undisturbed training (bit for bit on a CPU). ``identity`` names what a checkpoint belongs to; by
    default it stands for task, settings and seed. ``fresh`` gives, for the number of an attempt, a
    model like this one with other initial weights; several attempts need it. A checkpoint is
    written at each validation, and between two as often as this takes no more than
    ``checkpoint_share`` of the time.

    Raises:
        CheckpointError: if the checkpoint is damaged or belongs to something else.
        DeviceError: if there is no such device.
        Interrupted: after SIGINT or SIGTERM, once the checkpoint is written.
        ModelError: for a model without a trainable weight, or without a gradient, as within
            ``torch.no_grad()``.
        SettingError: for several attempts without ``fresh``.
    """
    settings = settings or TrainSettings()
    identity = identity or _default_identity(task, settings, seed)
    observer = observer or Observer()
    attempts = Attempts(settings, fresh)
    if not any(weight.requires_grad for weight in model.parameters()):
        raise ModelError("The model has no weight that can be trained.")
    if isinstance(model, SequenceModel):
        model.prepare(task)
    if not torch.is_grad_enabled():
        raise ModelError("train needs gradients. Call it outside of torch.no_grad().")
    checkpoint = None if checkpoint is None else Path(checkpoint)
    on = training_device(device, model, task, settings, checkpoint, identity)
    model.to(on).train()
    optimizer = make_optimizer(model, settings)
    validator = Validator(model, task, settings)
    batches = TrainingBatches(task, settings, seed, on)
    saved = Checkpointer(checkpoint, identity, checkpoint_share)
    state = TrainState()

    with stop_requests(observer.stopping) as stop, own_random_state(seed, on):
        if saved.exists():
            state = saved.restore(model, optimizer)
            observer.resumed(state.step)
        started = time.monotonic() - state.seconds
        if not state.curve:
            selected = validator.validate(state, optimizer)
            observer.validated(state.curve, selected=selected)
            saved.save(state, model, optimizer)
        while not attempts.are_over(state):
            step_started = time.monotonic()
            batch = batches.at(state.step)
            optimizer.zero_gradient()
            logits = backward(model, task, batch)
            applied = optimizer.step(attempts.step_within(state.step))
            if not applied:
                observer.rejected(state.step)
            state.count_step(applied=applied, patience=settings.patience)
            mean_loss = functools.partial(mean_loss_bits, task.answer, logits, batch)
            observer.stepped(state.step * settings.batch_size, mean_loss)
            now = time.monotonic()
            state.step_seconds += now - step_started
            state.seconds = now - started

            ended = attempts.end_with(state)
            validated = validator.is_due(state.step) or ended is not None
            if validated:
                selected = validator.validate(state, optimizer)
                observer.validated(state.curve, selected=selected)
            if ended is not None:
                diverged = state.diverged
                if attempts.follow(ended, state, model, optimizer):
                    observer.restarted(ended + 1, diverged=diverged)
            if stop.signal_number:
                saved.save(state, model, optimizer)
                raise Interrupted(stop.signal_number)
            if validated or saved.is_due():
                saved.save(state, model, optimizer)
        state.seconds = time.monotonic() - started
    # A training shorter than the patience has diverged too if it never made a step.
    state.diverged = state.diverged or state.rejected == state.made
    saved.save(state, model, optimizer)
    optimizer.release()
    assert state.selected is not None  # validated before the first step
    model.load_state_dict(state.selected.weights)
    return TrainResult(
        curve=pd.DataFrame([asdict(point) for point in state.curve]),
        selected_step=state.selected.step,
        rank=state.selected.rank(by_loss=not task.deterministic),
        sequences_per_second=state.made * settings.batch_size / max(state.step_seconds, 1e-9),
        seconds=state.seconds,
        rejected_steps=state.rejected,
        diverged_after=state.made if state.diverged else None,
        attempts=attempts.current(state) + 1,
    )


def _default_identity(task: Task, settings: TrainSettings, seed: int) -> str:
    sizes = identity_of(task)
    parts = {"task": [task.name, task.version, sizes], "train": identity_of(settings), "seed": seed}
    return f"{task.name}-s{seed}-{fingerprint(parts)}"
