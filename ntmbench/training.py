"""The training loop: sample, forward, loss, step; validate, select, checkpoint, resume."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from ntmbench import metrics
from ntmbench.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from ntmbench.config import TrainSettings, fingerprint
from ntmbench.device import choose_device
from ntmbench.evaluation import answer, enough_memory, score_batch
from ntmbench.interruption import Interrupted, stop_requests
from ntmbench.model import ModelError, TensorBatch
from ntmbench.optimization import Optimizer, make_optimizer
from ntmbench.randomness import RandomWords, Stream
from ntmbench.settings import SettingError
from ntmbench.task import Batch, Task

# Sequences drawn in a row: at most so many, and at most so many batches.
DRAWN_SEQUENCES = 1024
DRAWN_AHEAD = 64


@dataclass(frozen=True)
class CurvePoint:
    """A row of the learning curve: per-sequence means on validation data."""

    step: int
    sequences: int
    seconds: float
    loss_bits: float
    wrong_bits: float
    exact_match: float


@dataclass(frozen=True)
class Selected:
    """The best weights so far.

    Where a task can be solved, first come those with the fewest wrong bits at the lengths of
    training, ``within_bits`` per sequence: the mean over the validation set and those of the task's
    selection lengths that are no longer. Among those alike in this, most often without a mistake,
    wrong bits and then the loss decide, as shares of the scored bits, means over these sets and
    those of the longer ones. Where it can not be solved, that mean of the loss decides alone.
    """

    step: int
    within_bits: float
    wrong_share: float
    loss_share: float
    weights: dict[str, Tensor]

    def beats(self, other: Selected | None, *, by_loss: bool) -> bool:
        """Whether these weights are better: by wrong bits and then by loss, or by loss alone.

        A loss that is not a number is worse than any.
        """
        return other is None or self._rank(by_loss) < other._rank(by_loss)

    def _rank(self, by_loss: bool) -> tuple[float, ...]:
        loss = math.inf if math.isnan(self.loss_share) else self.loss_share
        return (loss,) if by_loss else (self.within_bits, self.wrong_share, loss)


@dataclass
class TrainState:
    """Where training stands, apart from model, optimizer and average."""

    step: int = 0
    rejected_in_a_row: int = 0
    rejected: int = 0
    #: Steps that were made: fewer than ``step`` where an attempt diverged and forfeited the rest.
    made: int = 0
    diverged: bool = False
    #: An attempt has made no mistake, and no other is needed.
    done: bool = False
    #: Seconds spent in the loop, and of these in steps rather than validation.
    seconds: float = 0.0
    step_seconds: float = 0.0
    curve: list[CurvePoint] = field(default_factory=list)
    selected: Selected | None = None


@dataclass(frozen=True)
class TrainResult:
    """What training came to; the model holds the selected weights.

    ``diverged_after`` is how many steps had been made when training gave up for want of finite
    numbers; ``attempts`` were begun.
    """

    curve: pd.DataFrame
    selected_step: int
    sequences_per_second: float
    seconds: float
    rejected_steps: int
    diverged_after: int | None
    attempts: int


class Monitor:
    """Watches training; this one sees nothing."""

    def stepped(self, sequences: int, loss_bits: Callable[[], float]) -> None:
        """After each step, with the sequences so far.

        ``loss_bits`` works out the batch's mean loss in bits. Who needs it now and then only saves
        a tenth of a small model's step.
        """

    def validated(self, curve: list[CurvePoint], *, selected: bool) -> None:
        """After each validation, with the whole learning curve."""

    def rejected(self, step: int) -> None:
        """After a step that was not applied because its gradient was not finite."""

    def stopping(self) -> None:
        """At the first request to stop, in a thread of its own; the present step is finished."""

    def resumed(self, step: int) -> None:
        """After going on from a checkpoint."""

    def restarted(self, attempt: int, *, diverged: bool) -> None:
        """After an attempt that made mistakes or diverged; the next one is counted from 0."""


def train(
    model: nn.Module,
    task: Task,
    settings: TrainSettings | None = None,
    *,
    seed: int = 0,
    device: str = "auto",
    checkpoint: Path | None = None,
    identity: str = "",
    checkpoint_share: float = 0.01,
    monitor: Monitor | None = None,
    fresh: Callable[[int], nn.Module] | None = None,
) -> TrainResult:
    """Train a model on a task, and leave the selected weights in it.

    Goes on from ``checkpoint`` where that file exists, to the numbers that an undisturbed training
    would have reached (on CPU bit for bit). ``identity`` says what a checkpoint belongs to; by
    default it stands for task, settings and seed. ``fresh`` gives a model like this one with other
    initial weights, by the number of an attempt; it is needed for more than one. A checkpoint is
    written at each validation, and between two as often as it takes no more than
    ``checkpoint_share`` of the time.

    Raises:
        CheckpointError: if the checkpoint is damaged or belongs to something else.
        DeviceError: if there is no such device.
        Interrupted: after SIGINT or SIGTERM, once the checkpoint is written.
        ModelError: for a model without a trainable weight.
        SettingError: for several attempts without ``fresh``.
    """
    settings = settings or TrainSettings()
    if settings.attempts > 1 and fresh is None:
        raise SettingError(
            f"train.attempts={settings.attempts} needs ``fresh``, which gives each its weights."
        )
    identity = identity or _default_identity(task, settings, seed)
    monitor = monitor or Monitor()
    if not any(weight.requires_grad for weight in model.parameters()):
        raise ModelError("The model has no weight that can be trained.")
    on = training_device(device, model, task, settings, checkpoint, identity)
    model.to(on).train()
    optimizer = make_optimizer(model, settings)
    state = TrainState()
    validation = list(task.validation_batches(settings.validation_sequences))
    selection = [
        (length, task.selection_set(length, settings.selection_sequences))
        for length in task.selection_lengths
    ]
    steps_per_validation = -(-settings.validate_every // settings.batch_size)

    def validate() -> None:
        with optimizer.averaged():
            point, candidate = _validate(model, task, validation, selection, state, settings)
        state.curve.append(point)
        better = candidate is not None and candidate.beats(
            state.selected, by_loss=not task.deterministic
        )
        if better:
            state.selected = candidate
        monitor.validated(state.curve, selected=better)

    pause = _Pause(checkpoint_share)

    def save() -> None:
        if checkpoint is not None:
            with pause.measured():
                save_checkpoint(checkpoint, identity, _packed(state, model, optimizer))

    with stop_requests(monitor.stopping) as stop, _own_random_state(seed, on):
        if checkpoint is not None and checkpoint.exists():
            state = _restore(checkpoint, identity, model, optimizer)
            monitor.resumed(state.step)
        started = time.monotonic() - state.seconds
        if not state.curve:
            validate()
            save()
        batches = _batches(task, settings, seed, state.step, on)
        while state.step < settings.steps and not (state.diverged or state.done):
            step_started = time.monotonic()
            batch = next(batches)
            optimizer.zero_gradient()
            shown = _backward(model, batch)
            if optimizer.step(state.step - settings.attempt_start(settings.attempt_at(state.step))):
                state.rejected_in_a_row = 0
            else:
                state.rejected += 1
                state.rejected_in_a_row += 1
                state.diverged = state.rejected_in_a_row >= settings.patience
                monitor.rejected(state.step)
            state.step += 1
            state.made += 1
            monitor.stepped(
                state.step * settings.batch_size, functools.partial(_mean_loss, shown, batch)
            )
            now = time.monotonic()
            state.step_seconds += now - step_started
            state.seconds = now - started
            attempt = settings.attempt_at(state.step - 1)
            if state.diverged and settings.attempts > 1:
                state.step = settings.attempt_start(attempt + 1)
                batches = _batches(task, settings, seed, state.step, on)
            ended = state.step == settings.attempt_start(attempt + 1)
            validated = state.step % steps_per_validation == 0 or ended
            if validated:
                validate()
            if ended and fresh is not None and settings.attempts > 1:
                state.done = state.selected is not None and state.selected.wrong_share == 0
                if state.done:
                    state.diverged = False  # after it had made no mistake
                elif state.step < settings.steps:
                    monitor.restarted(attempt + 1, diverged=state.diverged)
                    state.diverged, state.rejected_in_a_row = False, 0
                    model.load_state_dict(fresh(attempt + 1).state_dict())
                    optimizer.restart()
            if stop.signal_number:
                save()
                raise Interrupted(stop.signal_number)
            if validated or pause.is_over():
                save()
        state.seconds = time.monotonic() - started
    save()
    optimizer.release()
    assert state.selected is not None  # validated before the first step
    model.load_state_dict(state.selected.weights)
    return TrainResult(
        curve=pd.DataFrame([asdict(point) for point in state.curve]),
        selected_step=state.selected.step,
        sequences_per_second=state.made * settings.batch_size / max(state.step_seconds, 1e-9),
        seconds=state.seconds,
        rejected_steps=state.rejected,
        diverged_after=state.made if state.diverged else None,
        attempts=settings.attempt_at(state.step - 1) + 1,
    )


class _Pause:
    """The time from one checkpoint to the next, by what the last one cost to write."""

    def __init__(self, share: float) -> None:
        """``share`` of the time may go into writing."""
        self._factor = math.inf if share == 0 else 1 / share - 1
        self._over = math.inf

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Time what is written inside, and begin the next pause."""
        started = time.monotonic()
        yield
        ended = time.monotonic()
        self._over = ended + self._factor * max(ended - started, 1e-9)

    def is_over(self) -> bool:
        """Whether another checkpoint would stay within the share."""
        return time.monotonic() >= self._over


def training_device(
    device: str,
    model: nn.Module,
    task: Task,
    settings: TrainSettings,
    checkpoint: Path | None = None,
    identity: str = "",
) -> torch.device:
    """Where to train for ``device``: cpu, cuda or auto.

    ``auto`` goes on where a checkpoint was written; without one it takes the device on which a step
    on the longest training sequences is quicker.

    Raises:
        CheckpointError: if the checkpoint is damaged or belongs to something else.
        DeviceError: if CUDA is asked for and there is none.
    """
    if device == "auto" and checkpoint is not None and checkpoint.exists():
        kind = load_checkpoint(checkpoint, identity)["optimizer"]["kind"]
        device = "cuda" if kind == "torch" and torch.cuda.is_available() else "cpu"
    words = RandomWords(Stream.VALIDATION, 3)
    longest = task.length_range[1]

    def step(trial: nn.Module, on: torch.device) -> None:
        drawn = task.draw(words, settings.batch_size, longest, test=False)
        _backward(trial.train(), TensorBatch.of(drawn, on))

    with _own_random_state(0, torch.device("cpu")):
        return choose_device(device, model, step)


def _backward(model: nn.Module, batch: TensorBatch) -> Tensor:
    """Add a batch's gradients to the model's weights; returns the logits ``[T, B, out]``."""
    logits = answer(model, batch, teacher=True)
    shown = logits.detach()
    gradient = metrics.loss_gradient(shown, batch.targets, batch.mask)  # [T, B, out]
    logits.backward(gradient)  # type: ignore[no-untyped-call]
    return shown


def _batches(
    task: Task, settings: TrainSettings, seed: int, step: int, device: torch.device
) -> Iterator[TensorBatch]:
    """The training batches from a step on, drawn a few ahead of their use.

    Between two steps of a model the code that draws has left the processor's caches, and costs
    four times what it costs in a row. A batch is a function of its step, so nothing else changes.
    """
    count = min(DRAWN_AHEAD, max(1, DRAWN_SEQUENCES // settings.batch_size))
    while step < settings.steps:
        ahead = range(step, min(step + count, settings.steps))
        drawn = [task.train_batch(seed, number, settings.batch_size) for number in ahead]
        yield from [TensorBatch.of(batch, device) for batch in drawn]
        step = ahead.stop


def _mean_loss(logits: Tensor, batch: TensorBatch) -> float:
    """Bits per sequence."""
    return metrics.loss_bits(logits, batch.targets, batch.mask).mean().item()


def _validate(
    model: nn.Module,
    task: Task,
    validation: list[Batch],
    selection: list[tuple[int, Batch]],
    state: TrainState,
    settings: TrainSettings,
) -> tuple[CurvePoint, Selected | None]:
    """Score the model's present weights, for the learning curve and for the selection.

    None for weights that do worse at the lengths of training than those selected: however well they
    do beyond, which takes longest to find out, they will not be selected.
    """

    def scores_at(length: int, batch: Batch) -> metrics.Scores:
        with enough_memory(model, task, length):
            return score_batch(model, batch)

    pooled = metrics.pool(score_batch(model, batch) for batch in validation)
    point = CurvePoint(
        state.step,
        state.step * settings.batch_size,
        state.seconds,
        pooled.loss_bits,
        pooled.wrong_bits,
        pooled.exact_match,
    )
    longest = task.length_range[1]
    within = [pooled, *(scores_at(*of) for of in selection if of[0] <= longest)]
    within_bits = sum(s.wrong_bits for s in within) / len(within)
    best = state.selected
    if task.deterministic and best is not None and within_bits > best.within_bits:
        return point, None
    sets = [*within, *(scores_at(*of) for of in selection if of[0] > longest)]
    wrong = sum(s.wrong_bits / s.scored_bits for s in sets) / len(sets)
    loss = sum(s.loss_bits / s.scored_bits for s in sets) / len(sets)
    weights = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
    return point, Selected(state.step, within_bits, wrong, loss, weights)


def _default_identity(task: Task, settings: TrainSettings, seed: int) -> str:
    sizes = asdict(task)  # type: ignore[call-overload]
    parts = {"task": [task.name, task.version, sizes], "train": asdict(settings), "seed": seed}
    return f"{task.name}-s{seed}-{fingerprint(parts)}"


def _packed(state: TrainState, model: nn.Module, optimizer: Optimizer) -> dict[str, Any]:
    plain = asdict(replace(state, selected=None))
    if state.selected is not None:  # asdict would copy its weights, which are copies already
        plain["selected"] = dict(vars(state.selected))
    return {
        "progress": plain,
        "model": dict(model.state_dict()),
        "optimizer": optimizer.state(),
        "random": torch.get_rng_state(),
    }


def _restore(
    path: Path,
    identity: str,
    model: nn.Module,
    optimizer: Optimizer,
) -> TrainState:
    packed = load_checkpoint(path, identity)
    expected = {name: tensor.shape for name, tensor in model.state_dict().items()}
    found = {name: tensor.shape for name, tensor in packed["model"].items()}
    if expected != found:  # before anything is loaded: never half of a checkpoint
        raise CheckpointError(
            f"{path} holds weights of another shape than this model's. "
            "Move it away to start this run anew."
        )
    if packed["optimizer"]["kind"] != optimizer.state()["kind"]:
        raise CheckpointError(
            f"{path} was written on another kind of device. Go on with that device, or move it "
            "away to start this run anew."
        )
    model.load_state_dict(packed["model"])
    optimizer.load(packed["optimizer"])
    torch.set_rng_state(packed["random"])
    progress = dict(packed["progress"])
    progress["curve"] = [CurvePoint(**point) for point in progress["curve"]]
    progress["selected"] = progress["selected"] and Selected(**progress["selected"])
    return TrainState(**progress)


@contextmanager
def _own_random_state(seed: int, device: torch.device) -> Iterator[None]:
    """Give a model's random layers, if it has any, a stream of their own."""
    on_gpu = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if on_gpu else []):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would reach every GPU
        if on_gpu:
            torch.cuda.manual_seed(seed)
        yield
