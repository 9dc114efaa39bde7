"""Checks of a run before it begins: whether it is possible, and whether it fits."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ntmbench.data.randomness import RandomWords, Stream, stable_id
from ntmbench.errors import ModelError, UserError
from ntmbench.evaluation.answering import answer, enough_memory, evaluating
from ntmbench.model import SequenceModel, TensorBatch
from ntmbench.registry import make_model, model_entry
from ntmbench.runs.folder import check_writable
from ntmbench.runs.log import logger
from ntmbench.runs.parameters import count_parameters
from ntmbench.runs.settings import RunConfig
from ntmbench.training.device import check_device
from ntmbench.training.gradient import backward

#: Numbers that training keeps for each parameter at least: it, its gradient and two moments.
TRAINED_FLOATS = 4
#: Part of what PyTorch says where the CPU's memory does not suffice.
NO_MEMORY = "can't allocate memory"


def check_possible(config: RunConfig) -> SequenceModel:
    """Refuse what cannot run before anything is written, and return the new model.

    Raises:
        UserError: for a missing device, a model that cannot answer the task or cannot be built, or
            a results folder that cannot be written.
    """
    check_device(config.device)
    entry = model_entry(config.model)
    owner = entry.owner(config.model, config.model_settings)
    if entry.named_by is None:  # a user's own class need not be built without numbers
        _check_size(config, owner)
    with _fitting(owner):
        model = initial_model(config)
    model.prepare(config.task)
    if entry.needs_input_phase and not config.task.has_input_phase:
        raise ModelError(
            f"model={config.model} needs an input phase to encode, and task={config.task.name} "
            "has none: it asks for an answer at every step. "
            "Allowed: models that answer step by step, such as ntm or lstm."
        )
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ModelError(f"{owner} has no trainable parameters.")
    with _fitting(owner):
        _try_out(config, owner)
    check_writable(config.results_dir)
    return model


def initial_model(config: RunConfig, attempt: int = 0) -> SequenceModel:
    """The model with the initial weights of an attempt; those of the first come from the seed."""
    seed = stable_id(f"{config.seed}-{attempt}") if attempt > 0 else config.seed
    widths = config.task.input_width, config.task.output_width
    return make_model(config.model, *widths, seed=seed, **vars(config.model_settings))


def machine_memory() -> int:
    """The memory of this machine in bytes."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _check_size(config: RunConfig, owner: str) -> None:
    """Refuse a model whose training cannot fit into this machine's memory."""
    widths = config.task.input_width, config.task.output_width
    try:
        parameters = count_parameters(config.model, vars(config.model_settings), *widths)
    except RuntimeError:  # a model of a plug-in may need numbers to be built; it is not measured
        return
    needed = TRAINED_FLOATS * 4 * parameters
    present = machine_memory()
    if needed > present:
        raise ModelError(
            f"{owner} has {parameters:,} parameters, whose training takes "
            f"{needed / 2**30:,.0f} GiB, and this machine has {present / 2**30:,.0f} GiB. "
            "Allowed: a smaller model."
        )


@contextmanager
def _fitting(owner: str) -> Iterator[None]:
    """Refuse a model for which the memory does not suffice."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError | torch.OutOfMemoryError) and NO_MEMORY not in str(
            error
        ):
            raise
        raise ModelError(
            f"{owner} does not fit into this machine's memory. Allowed: a smaller model."
        ) from error


def _try_out(config: RunConfig, owner: str) -> None:
    """Refuse a model that cannot answer or be trained, by a step of one like it."""
    words = RandomWords(Stream.VALIDATION, 2)
    drawn = config.task.draw(words, 2, config.task.length_range[0], test=False)
    batch = TensorBatch.of(drawn, torch.device("cpu"))
    model = initial_model(config)
    model.prepare(config.task)
    with torch.random.fork_rng(devices=[]):
        try:
            with evaluating(model):
                answer(model, batch, owner=owner)
            backward(model.train(), config.task, batch, owner)
        except (UserError, MemoryError):
            raise
        except (Exception, SystemExit) as error:  # a user's module may raise anything
            if NO_MEMORY in str(error):
                raise
            raise ModelError(
                f"{owner} fails on inputs [T, B, in] = {list(batch.inputs.shape)}: "
                f"{reason_of(error)}"
            ) from error


def warn_of_little_memory(config: RunConfig, model: SequenceModel) -> None:
    """Warn if the longest training sequence does not fit into an external memory."""
    longest = config.task.length_range[1]
    needed = config.task.demand(longest)
    with enough_memory(model, 0) as slots:
        if slots is not None and slots < needed:
            logger.warning(
                "The memory has %d slots, and sequences of length %d have %d items to store. "
                "A value of %d or more has room for them.",
                slots,
                longest,
                needed,
                needed + 1,
            )


def reason_of(error: BaseException) -> str:
    """Say in one line why a run ended."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return " ".join(f"{type(error).__name__}: {error}".split())
