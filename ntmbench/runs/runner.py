"""One run from its settings to its files: lock, train, evaluate, draw, and keep the status."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from omegaconf import OmegaConf
from rich.console import Console

from ntmbench.data.files import remove_leftovers, write_bytes
from ntmbench.data.literature import paper_results
from ntmbench.evaluation.example import answer_example
from ntmbench.evaluation.grid import evaluate_in_detail, evaluate_variations
from ntmbench.evaluation.look.looking import look_into
from ntmbench.model import SequenceModel
from ntmbench.registry import make_observer
from ntmbench.runs.check import check_possible, initial_model, reason_of, warn_of_little_memory
from ntmbench.runs.digests import ENDED, checked_bytes, digest_of, digests_in, read_together
from ntmbench.runs.folder import RunFolder, csv_bytes, npz_bytes
from ntmbench.runs.log import logger, logging_to, records_kept, said_once
from ntmbench.runs.parsing import Csv, parse_table
from ntmbench.runs.provenance import commits, device_name, versions
from ntmbench.runs.recorder import Recorder, curve_bytes
from ntmbench.runs.results import TABLES
from ntmbench.runs.search_record import SEARCHES
from ntmbench.runs.settings import RunConfig
from ntmbench.runs.tested import LengthsTested
from ntmbench.runs.threads import set_threads
from ntmbench.training.checkpoint import digest_of as digest_of_state
from ntmbench.training.device import training_device
from ntmbench.training.loop import TrainResult, train
from ntmbench.training.observer import Observers, RunFacts

#: Whole numbers stay whole where a model without a memory has none.
_DTYPES = {"memory_slots": "Int64"}


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its folder, state and reason, and its test grid if there is one."""

    folder: Path
    state: str
    reason: str | None = None
    evaluation: pd.DataFrame | None = None
    #: The unit of errors: bit, symbol or number.
    unit: str = "answer"
    #: Whether it had ended before, and was not run again.
    already: bool = False


def run(config: RunConfig, console: Console) -> Outcome:
    """Train and evaluate one run, or resume it, or report it as done.

    Raises:
        UserError: for what the user can mend.
        KeyboardInterrupt: after SIGINT or SIGTERM; the same run can be resumed.
    """
    folder = RunFolder(config.folder)
    unit = config.task.answer.unit
    if not config.rerun and (done := _ended(folder, unit)):
        return done
    with records_kept() as said:
        model = check_possible(config)
    chosen = [make_observer(name) for name in config.observers]
    set_threads(config.threads)
    folder.path.mkdir(parents=True, exist_ok=True)
    with folder.locked():
        # Another process may have ended it since the first look.
        if not config.rerun and (done := _ended(folder, unit)):
            return done
        remove_leftovers(folder.path)
        status = folder.read_status()
        if config.rerun and status.get("state") in ENDED:
            for path in (folder.checkpoint, folder.metrics, *folder.tests):
                path.unlink(missing_ok=True)
            status = {}
        with logging_to(folder.log, console), said_once(said):
            notes = _Notes(folder, status, config, model)
            recorder = Recorder(lambda curve: notes.write_files({folder.metrics: curve}))
            with Observers([recorder, *chosen]) as observer:
                return _run_observed(config, folder, model, console, notes, observer)


def _ended(folder: RunFolder, unit: str) -> Outcome | None:
    """The outcome of a run that has ended; one without its test grid has not.

    Raises:
        RunError: if one of its files is damaged, so that what it shows may be wrong.
    """
    status = folder.read_status()
    if status.get("state") not in ENDED or not folder.evaluation.exists():
        return None
    paths = {name: getattr(folder, name) for name in TABLES}
    status, contents = read_together(folder, list(paths.values()))
    for path in (folder.config, folder.example):
        checked_bytes(path, digests_in(status), needed=False)
    tables = {
        name: parse_table(Csv(path, content), TABLES[name])
        for (name, path), content in zip(paths.items(), contents, strict=True)
        if content is not None
    }
    evaluation = tables["evaluation"].astype(_DTYPES)
    return Outcome(
        folder.path, status["state"], status.get("error"), evaluation, unit, already=True
    )


class _Notes:
    """A run's status, with the time that it has taken in all processes, and its files' digests."""

    def __init__(
        self, folder: RunFolder, earlier: dict[str, Any], config: RunConfig, model: SequenceModel
    ) -> None:
        self._folder = folder
        self._started = time.monotonic()
        self._wall_before = float(earlier.get("wall_seconds") or 0.0)
        self._digests = digests_in(earlier)
        # Whole from the start: a run may be stopped before anything else is known of it.
        self._status: dict[str, Any] = {
            "state": "running",
            "error": None,
            "settings": config.identity(),
            SEARCHES: config.noted_searches(),
            "unit": config.task.answer.unit,
            "lengths": list(config.task.length_range),
            "parameters": sum(p.numel() for p in model.parameters()),
            "state_floats": model.state_floats(_longest_steps(config)),
            "device": earlier.get("device"),
            "threads": torch.get_num_threads(),
            "versions": versions(),
            "commits": commits(earlier),
            "started": earlier.get("started") or _now(),
        }

    def write(self, **values: Any) -> None:
        wall_seconds = self._wall_before + time.monotonic() - self._started
        self._status.update(values, wall_seconds=wall_seconds, digests=self._digests)
        self._folder.write_status(self._status)

    def write_files(self, contents: Mapping[Path, bytes]) -> None:
        """Replace files of the run, in their order, once the status names their digests too."""
        coming = {path.name: digest_of(content) for path, content in contents.items()}
        for name, digest in coming.items():
            self._digests[name] = [*self._digests.get(name, []), digest]
        self.write()
        for path, content in contents.items():
            write_bytes(path, content)
            self._digests[path.name] = [coming[path.name]]


def _run_observed(
    config: RunConfig,
    folder: RunFolder,
    model: SequenceModel,
    console: Console,
    notes: _Notes,
    observer: Observers,
) -> Outcome:
    """Train, test and draw; note in the status and log whatever ends this early."""
    try:
        settings = OmegaConf.to_yaml(OmegaConf.create(config.resolved()))
        notes.write_files({folder.config: settings.encode()})
        device = training_device(
            config.device, model, config.task, config.train, folder.checkpoint, folder.path.name
        )
        notes.write(device=device_name(device))
        observer.started(
            RunFacts(
                name=folder.path.name,
                folder=folder.path,
                answer=config.task.answer,
                sequences=config.train.steps * config.train.batch_size,
                batch_size=config.train.batch_size,
                parameters=sum(p.numel() for p in model.parameters()),
                device=device.type,
                settings=config.identity(),
                console=console,
            )
        )
        _say_attempts(config)
        warn_of_little_memory(config, model)
        result = train(
            model,
            config.task,
            config.train,
            seed=config.seed,
            device=device.type,
            checkpoint=folder.checkpoint,
            identity=folder.path.name,
            checkpoint_share=config.checkpoint_share,
            observer=observer,
            fresh=functools.partial(initial_model, config),
        )
        evaluation = _test(config, folder, model, notes, result)
        observer.tested(evaluation)
    except KeyboardInterrupt:
        notes.write()
        logger.info("Interrupted. Resume with the same command.", extra={"file_only": True})
        observer.ended("interrupted", None)
        raise
    except BaseException as error:  # a model may end the process, which would end a sweep too
        reason = reason_of(error)
        logger.exception("Failed: %s", reason, extra={"file_only": True})
        notes.write(state="failed", error=reason)
        observer.ended("failed", reason)
        raise
    divergence = _divergence(config, result)
    state = "finished" if divergence is None else "diverged"
    notes.write(
        state=state,
        error=divergence,
        selected_step=result.selected_step,
        rejected_steps=result.rejected_steps,
        attempts=result.attempts,
        sequences_per_second=result.sequences_per_second,
        train_seconds=result.seconds,
        ended=_now(),
    )
    observer.ended(state, divergence)
    return Outcome(folder.path, state, divergence, evaluation, config.task.answer.unit)


def _say_attempts(config: RunConfig) -> None:
    if config.train.attempts > 1:
        logger.info(
            "Up to %d attempts of %s sequences each; the first without a mistake is the last.",
            config.train.attempts,
            f"{config.train.attempt_steps * config.train.batch_size:,}",
        )


def _divergence(config: RunConfig, result: TrainResult) -> str | None:
    if result.diverged_after is None:
        return None
    last = min(config.train.patience, result.diverged_after)
    return (
        f"diverged after {result.diverged_after} steps: {last} in a row "
        f"without finite loss and gradient; evaluated the weights of step "
        f"{result.selected_step}"
    )


def _test(
    config: RunConfig,
    folder: RunFolder,
    model: SequenceModel,
    notes: _Notes,
    result: TrainResult,
) -> pd.DataFrame:
    """Test the selected weights, and draw the run."""
    from ntmbench.runs.pictures import plot_run  # takes a second, so only when it is needed

    logger.info(
        "Trained in %.0f s, %.0f sequences/s; testing the weights of step %d.",
        result.seconds,
        result.sequences_per_second,
        result.selected_step,
    )
    sequences = config.evaluation.sequences
    lengths = config.evaluation.lengths or None  # empty for the task's own grid
    tested = LengthsTested(folder.tested, digest_of_state(model.state_dict()))
    evaluation = evaluate_in_detail(
        model, config.task, lengths=lengths, sequences=sequences, keeper=tested
    )
    variations = evaluate_variations(model, config.task, sequences=sequences)
    # The curve once more: a run that was interrupted in its test does not validate again.
    files = {
        folder.metrics: curve_bytes(result.curve),
        folder.positions: csv_bytes(evaluation.by_position),
    }
    if len(variations):
        files[folder.variations] = csv_bytes(variations)
    look = look_into(model, config.task)
    files[folder.look] = csv_bytes(look.errors)
    if len(look.heads):
        files[folder.heads] = csv_bytes(look.heads)
    files[folder.example] = npz_bytes(answer_example(model, config.task))
    files[folder.evaluation] = csv_bytes(evaluation.by_length)  # last: it stands for all of them
    notes.write_files(files)
    tested.forget()
    plot_run(folder, config.task, paper_results(config.task), look)
    return evaluation.by_length


def _longest_steps(config: RunConfig) -> int:
    """Steps of the longest training sequences."""
    return len(config.task.test_set(config.task.length_range[1], 1).inputs)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
