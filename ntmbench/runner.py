"""One run from its settings to its files: lock, train, evaluate, draw, and keep the status."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from omegaconf import OmegaConf
from rich.console import Console

from ntmbench.config import RunConfig
from ntmbench.custom import CustomSettings
from ntmbench.device import check_device
from ntmbench.evaluation import answer, evaluate_in_detail, evaluate_variations
from ntmbench.example import write_example
from ntmbench.files import remove_leftovers, write_text
from ntmbench.model import ModelError, SequenceModel, TensorBatch, check_logits
from ntmbench.progress import TrainingBar, evaluation_table, logger, logging_to, records_kept
from ntmbench.randomness import RandomWords, Stream, stable_id
from ntmbench.registry import make_model
from ntmbench.runs import METRICS_COLUMNS, RunFolder, check_writable
from ntmbench.settings import UserError
from ntmbench.training import CurvePoint, Monitor, TrainResult, train, training_device

ENDED = ("finished", "diverged")
VERSIONED = ("ntmbench", "torch", "numpy", "pandas", "hydra-core", "numba")


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its folder, state and reason, and its test grid where there is one."""

    folder: Path
    state: str
    reason: str | None = None
    evaluation: pd.DataFrame | None = None
    #: It had ended before, and was not run again.
    already: bool = False


def check_possible(config: RunConfig) -> SequenceModel:
    """Refuse what can not run, before anything is written; return the model, freshly made.

    Raises:
        UserError: for a device that is not there, a model that can not answer the task or can not
            be built, a results folder that can not be written.
    """
    check_device(config.device)
    model = initial_model(config)
    model.prepare(config.task)
    if model.needs_input_phase and not config.task.has_input_phase:
        raise ModelError(
            f"model={config.model} needs an input phase to encode, and task={config.task.name} "
            "has none: it asks for an answer at every step. "
            "Allowed: models that answer step by step, such as ntm or lstm."
        )
    _check_answer(model, config)
    check_writable(config.results_dir)
    return model


def initial_model(config: RunConfig, attempt: int = 0) -> SequenceModel:
    """The model with the initial weights of an attempt; those of the first are the seed's own."""
    seed = stable_id(f"{config.seed}-{attempt}") if attempt > 0 else config.seed
    widths = config.task.input_width, config.task.output_width
    return make_model(config.model, *widths, seed=seed, **vars(config.model_settings))


def _check_answer(model: SequenceModel, config: RunConfig) -> None:
    """Refuse a model that can not learn, or that fails or answers in another shape on trial."""
    custom = isinstance(config.model_settings, CustomSettings)
    owner = f"model.target={config.model_settings.target}" if custom else f"model={config.model}"
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ModelError(f"{owner} has no trainable parameters.")
    words = RandomWords(Stream.VALIDATION, 2)
    drawn = config.task.draw(words, 2, config.task.length_range[0], test=False)
    batch = TensorBatch.of(drawn, torch.device("cpu"))
    model.eval()
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        try:
            logits = answer(model, batch)
        except UserError:
            raise
        except Exception as error:  # a user's module may raise anything
            raise ModelError(
                f"{owner} fails on inputs [T, B, in] = {list(batch.inputs.shape)}: "
                f"{reason_of(error)}"
            ) from error
    model.train()
    check_logits(owner, logits, tuple(batch.targets.shape))


def run(config: RunConfig, console: Console) -> Outcome:
    """Train and evaluate one run, or go on with it, or report it as done.

    Raises:
        UserError: for what the user can mend.
        KeyboardInterrupt: after SIGINT or SIGTERM; the same run goes on later.
    """
    folder = RunFolder(config.folder)
    if not config.rerun and (done := _ended(folder)):
        return done
    with records_kept() as said:
        model = check_possible(config)
    _set_threads(config.threads)
    folder.path.mkdir(parents=True, exist_ok=True)
    with folder.locked():
        remove_leftovers(folder.path)
        status = folder.read_status()
        if config.rerun and status.get("state") in ENDED:
            for path in (folder.checkpoint, folder.metrics, *folder.tests):
                path.unlink(missing_ok=True)
            status = {}
        with logging_to(folder.log, console):
            for record in said:
                logger.handle(record)
            return _run_locked(config, folder, model, console, status)


def _ended(folder: RunFolder) -> Outcome | None:
    """The outcome of a run that needs nothing more; one without its test grid has not ended."""
    status = folder.read_status()
    if status.get("state") not in ENDED or not folder.evaluation.exists():
        return None
    evaluation = pd.read_csv(folder.evaluation, dtype={"memory_slots": "Int64"})
    return Outcome(folder.path, status["state"], status.get("error"), evaluation, already=True)


def _run_locked(
    config: RunConfig,
    folder: RunFolder,
    model: SequenceModel,
    console: Console,
    earlier: dict[str, Any],
) -> Outcome:
    started = time.monotonic()
    wall_before = float(earlier.get("wall_seconds") or 0.0)
    device = training_device(
        config.device, model, config.task, config.train, folder.checkpoint, folder.path.name
    )
    status: dict[str, Any] = {
        "state": "running",
        "error": None,
        "settings": config.identity(),
        "parameters": sum(p.numel() for p in model.parameters()),
        "device": _device_name(device),
        "threads": torch.get_num_threads(),
        "versions": _versions(),
        "commits": _commits(earlier),
        "started": earlier.get("started") or _now(),
        "wall_seconds": wall_before,
    }

    def note(**values: Any) -> None:
        status.update(values, wall_seconds=wall_before + time.monotonic() - started)
        folder.write_status(status)

    try:
        write_text(folder.config, OmegaConf.to_yaml(OmegaConf.create(config.resolved())))
        note()
        logger.info(
            "%s: %s parameters on %s", folder.path.name, f"{status['parameters']:,}", device.type
        )
        if config.train.attempts > 1:
            logger.info(
                "Up to %d attempts of %s sequences each; the first without a mistake is the last.",
                config.train.attempts,
                f"{config.train.attempt_steps * config.train.batch_size:,}",
            )
        _warn_of_little_memory(config, model)
        with TrainingBar(console, config.train.steps * config.train.batch_size) as bar:
            result = train(
                model,
                config.task,
                config.train,
                seed=config.seed,
                device=device.type,
                checkpoint=folder.checkpoint,
                identity=folder.path.name,
                checkpoint_share=config.checkpoint_share,
                monitor=_RunMonitor(folder, bar, config.train.batch_size, note),
                fresh=functools.partial(initial_model, config),
            )
        evaluation = _finish(config, folder, model, result)
    except KeyboardInterrupt:
        note()
        logger.info("Interrupted. Resume with the same command.", extra={"file_only": True})
        raise
    except Exception as error:
        reason = reason_of(error)
        logger.exception("Failed: %s", reason, extra={"file_only": True})
        note(state="failed", error=reason)
        raise
    divergence = None
    if result.diverged_after is not None:
        divergence = (
            f"diverged after {result.diverged_after} steps: {config.train.patience} in a row "
            f"without finite loss and gradient; evaluated the weights of step "
            f"{result.selected_step}"
        )
    state = "finished" if divergence is None else "diverged"
    note(
        state=state,
        error=divergence,
        selected_step=result.selected_step,
        rejected_steps=result.rejected_steps,
        attempts=result.attempts,
        sequences_per_second=result.sequences_per_second,
        train_seconds=result.seconds,
        ended=_now(),
    )
    return Outcome(folder.path, state, divergence, evaluation)


def _finish(
    config: RunConfig, folder: RunFolder, model: SequenceModel, result: TrainResult
) -> pd.DataFrame:
    """Test the selected weights, and draw the run."""
    from ntmbench.report.run_plots import plot_run  # takes a second: not before it is needed

    logger.info(
        "Trained in %.0f s, %.0f sequences/s; testing the weights of step %d.",
        result.seconds,
        result.sequences_per_second,
        result.selected_step,
    )
    sequences = config.evaluation.sequences
    lengths = config.evaluation.lengths or None  # empty for the task's own grid
    evaluation = evaluate_in_detail(model, config.task, lengths=lengths, sequences=sequences)
    variations = evaluate_variations(model, config.task, sequences=sequences)
    folder.write_table(folder.positions, evaluation.by_position)
    if len(variations):
        folder.write_table(folder.variations, variations)
    write_example(folder.example, model, config.task)
    folder.write_table(folder.evaluation, evaluation.by_length)  # last: it stands for all of them
    plot_run(folder, config.task, model)
    return evaluation.by_length


def _warn_of_little_memory(config: RunConfig, model: SequenceModel) -> None:
    """Say so where the longest training sequence does not fit into an external memory."""
    longest = config.task.length_range[1]
    needed = config.task.vectors_to_store(longest)
    if model.memory_slots is not None and model.memory_slots < needed:
        logger.warning(
            "model.memory_slots=%d, and sequences of length %d have %d vectors to store. "
            "A value of %d or more has room for them.",
            model.memory_slots,
            longest,
            needed,
            needed + 1,
        )


def reason_of(error: Exception) -> str:
    """Say in one line why a run ended."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return " ".join(f"{type(error).__name__}: {error}".split())


class _RunMonitor(Monitor):
    """Keeps metrics.csv, the status, the log and the bar up to date."""

    def __init__(
        self, folder: RunFolder, bar: TrainingBar, batch_size: int, note: Callable[[], None]
    ) -> None:
        self._folder = folder
        self._bar = bar
        self._batch_size = batch_size
        self._note = note

    def stepped(self, sequences: int, loss_bits: Callable[[], float]) -> None:
        self._bar.stepped(sequences, loss_bits)

    def validated(self, curve: list[CurvePoint], *, selected: bool) -> None:
        table = pd.DataFrame([vars(point) for point in curve])[METRICS_COLUMNS]
        self._folder.write_table(self._folder.metrics, table)
        self._note()  # a process that is killed has no time to tell how long it took
        point = curve[-1]
        self._bar.validated(point.wrong_bits)
        logger.info(
            "%7d sequences  loss %8.3f bits  wrong %7.3f bits  exact %6.1f %%%s",
            point.sequences,
            point.loss_bits,
            point.wrong_bits,
            100 * point.exact_match,
            "  selected" if selected else "",
        )

    def rejected(self, step: int) -> None:
        logger.warning("Step %d was not applied: its gradient is not finite.", step)

    def stopping(self) -> None:
        logger.info("Stopping after this step; press again to stop at once.")

    def restarted(self, attempt: int, *, diverged: bool) -> None:
        why = "It diverged" if diverged else "Mistakes on validation data are left"
        logger.info("%s: attempt %d begins anew.", why, attempt + 1)

    def resumed(self, step: int) -> None:
        logger.info("Resumed at step %d.", step)
        self._bar.start_at(step * self._batch_size)


def show(outcome: Outcome, console: Console) -> None:
    """Print the evaluation and where it lies."""
    if outcome.evaluation is not None:
        verdict = "already done" if outcome.already else outcome.state
        console.print(evaluation_table(outcome.evaluation, f"{outcome.folder.name}: {verdict}"))
    if outcome.reason:
        console.print(outcome.reason, highlight=False, markup=False, soft_wrap=True)
    if outcome.already:
        console.print("Not run again; rerun=true forces it.", highlight=False)
    # A path is printed in one piece, however narrow the terminal, so that it can be copied.
    console.print(str(outcome.folder), highlight=False, soft_wrap=True)


def _set_threads(threads: int) -> None:
    torch.set_num_threads(threads or len(os.sched_getaffinity(0)))


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    return f"cpu ({platform.machine()}, {os.cpu_count()} cores)"


def _versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in VERSIONED},
    }


def _commits(earlier: Mapping[str, Any]) -> list[str | None]:
    """The commits of those that were at work on a run, one after the other, this one the last."""
    # Older versions wrote the last alone.
    before = earlier.get("commits") or ([earlier["commit"]] if "commit" in earlier else [])
    now = _commit()
    return [*before, now] if before[-1:] != [now] else list(before)


@functools.cache  # the source may change while a sweep goes on, and what runs does not
def _commit() -> str | None:
    """The git commit of the source that runs, with ``+`` where it was changed; None elsewhere."""
    source = Path(__file__).parent
    try:
        root = _git(source, "rev-parse", "--show-toplevel")
        if not root or Path(root) / source.name != source:
            return None  # installed into an environment; a repository around that is not ours
        return _git(source, "describe", "--always", "--abbrev=40", "--dirty=+")
    except FileNotFoundError:
        return None  # no git on this machine


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    return (
        subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or None
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
