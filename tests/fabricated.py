"""Fabricated runs: folders with the numbers that a test wants to see reported."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hydra import compose
from numpy.typing import NDArray

from ntmbench.composition.composing import composing, to_run_config
from ntmbench.evaluation.levels import length_levels, validation_levels
from ntmbench.plotting.ntm import ntm_panels
from ntmbench.plotting.panels import Panel, pack_panels
from ntmbench.registry import make_task, model_entry, model_names
from ntmbench.runs.folder import RunFolder
from ntmbench.runs.results import HEAD_COLUMNS, LOOK_COLUMNS
from ntmbench.runs.settings import run_name
from ntmbench.runs.tables import EARLIER_NAMES
from ntmbench.task import Task

VERSIONS = {"python": "3.11.7", "ntmbench": "0.1.0", "torch": "2.13.0"}
#: Slots and word size of a fabricated memory.
SLOTS, WORD = 32, 8
#: What a run of the LSTM notes of a search; it has the value that was found.
SEARCH = {
    "trials": 5,
    "sequences": {"copy": 3000},
    "seeds": [101, 102],
    "total_sequences": 30_000,
    "ended": "2025-01-01",
    "command": "python -m ntmbench -m +experiment=grid",
    "found": {"train.learning_rate": 0.01},
    "pruned": 0,
    "failed": 0,
}


def fabricate(
    results: Path,
    task: str = "copy",
    model: str = "ntm",
    seed: int = 0,
    *,
    errors: Sequence[float] = (80, 10, 0, 0),
    tested: Mapping[int, float] | None = None,
    exact: Mapping[int, float] | None = None,
    loss_bits: Sequence[float] | None = None,
    tested_loss: Mapping[int, float] | None = None,
    positions: Mapping[int, Sequence[float]] | None = None,
    variations: Mapping[str, float] | None = None,
    look: Mapping[str, Sequence[float]] | None = None,
    heads: Mapping[str, float] | None = None,
    example: float | None = None,
    state: str = "finished",
    error: str | None = None,
    task_settings: Mapping[str, Any] | None = None,
    model_settings: Mapping[str, Any] | None = None,
    train_settings: Mapping[str, Any] | None = None,
    **status: Any,
) -> RunFolder:
    """Write a run's folder.

    ``errors`` are its validations, evenly spaced up to its 3,000 sequences; ``tested`` are its
    errors by test length, None for a run that was not evaluated. Loss is twice the errors where
    ``loss_bits`` and ``tested_loss`` do not say it. ``look`` are its errors in bins, by what they
    are told against, and ``heads`` the measures of its only write and read head. ``example`` is
    the share of errors in its example.
    """
    identity = full_identity(task, model, seed)
    identity["task"] |= task_settings or {}
    identity["model"] |= model_settings or {}
    identity["train"] |= {"sequences": 3000, "validation_sequences": 64, **(train_settings or {})}
    identity["evaluation"] |= {"sequences": 64}
    folder = RunFolder(results / "runs" / run_name(identity))
    folder.path.mkdir(parents=True)
    made = make_task(task, **(task_settings or {}))
    answer = made.answer
    folder.write_status(
        {
            "state": state,
            "settings": identity,
            "unit": answer.unit,
            "lengths": list(made.length_range),
            "error": error,
            "parameters": 67_000,
            "state_floats": 1_200,
            "sequences_per_second": 500.0,
            "train_seconds": 6.0,
            "wall_seconds": 8.0,
            "selected_step": 3000,
            "device": "cpu",
            "started": "2025-01-01T00:00:00+00:00",
            "ended": "2025-01-01T00:00:08+00:00",
            "versions": VERSIONS,
            "commit": "0123456789abcdef0123456789abcdef01234567",
            **status,
        }
    )
    if len(errors):
        folder.write_table(folder.metrics, curve(errors, loss_bits, step=1000))
    if tested is not None:
        each = 4.0 if answer.unit == "bit" else 1 - 1 / answer.channels
        folder.write_table(folder.evaluation, grid(tested, exact, tested_loss, chance=each))
    if positions is not None:
        folder.write_table(folder.path / "positions.csv", position_errors(positions))
    if variations is not None:
        named = grid(dict(enumerate(variations.values(), start=1)))
        named.insert(0, "variation", list(variations))
        folder.write_table(folder.path / "variations.csv", named)
    if look is not None:
        folder.write_table(folder.look, look_errors(look, made.length_range[1]))
    if heads is not None:
        folder.write_table(folder.heads, look_heads(heads, made.length_range[1]))
    if example is not None:
        write_example(
            folder.path / "example.npz",
            made,
            example,
            seed,
            memory=model == "ntm",
        )
    return folder


@cache
def _defaults(task: str, model: str) -> dict[str, Any]:
    if model not in model_names():
        made = make_task(task)
        return {
            "task": {"name": task, "version": made.version, **asdict(made)},  # type: ignore[call-overload]
            "model": {"name": model},
            "train": {},
            "evaluation": {"lengths": []},
        }
    arguments = [f"task={task}", f"model={model}"]
    if model == "custom":
        arguments.append("model.target=torch.nn:Linear")
    with composing():
        return to_run_config(compose("config", overrides=arguments)).identity()


def full_identity(task: str, model: str, seed: int) -> dict[str, Any]:
    """The identity of ``task=... model=... seed=...``; for an unknown model the known part."""
    return copy.deepcopy(_defaults(task, model)) | {"seed": seed}


def curve(
    errors: Sequence[float], loss_bits: Sequence[float] | None = None, step: int = 1000
) -> pd.DataFrame:
    """A learning curve with the columns of ``metrics.csv``; loss is twice the errors."""
    sequences = [step * place for place in range(len(errors))]
    return pd.DataFrame(
        {
            "step": sequences,
            "sequences": sequences,
            "seconds": [count / 500 for count in sequences],
            "loss_bits": [2 * bits for bits in errors] if loss_bits is None else loss_bits,
            "errors": errors,
            "exact_match": [float(bits == 0) for bits in errors],
        }
    )


def grid(
    errors: Mapping[int, float],
    exact: Mapping[int, float] | None = None,
    loss_bits: Mapping[int, float] | None = None,
    *,
    chance: float = 4.0,
) -> pd.DataFrame:
    """A test grid with the columns of ``evaluation.csv``; ``chance`` is of a step."""
    exact = exact or {length: float(bits == 0) for length, bits in errors.items()}
    loss_bits = loss_bits or {length: 2 * bits for length, bits in errors.items()}
    return pd.DataFrame(
        {
            "length": list(errors),
            "memory_slots": 128,
            "sequences": 64,
            "loss_bits": [loss_bits[length] for length in errors],
            "errors": list(errors.values()),
            "chance_errors": [chance * length for length in errors],
            "exact_match": [exact[length] for length in errors],
        }
    )


def position_errors(errors: Mapping[int, Sequence[float]]) -> pd.DataFrame:
    """The columns of ``positions.csv``."""
    return pd.DataFrame(
        [
            (length, position, 64, bits)
            for length, of_length in errors.items()
            for position, bits in enumerate(of_length)
        ],
        columns=["length", "position", "sequences", "errors"],
    )


def look_errors(errors: Mapping[str, Sequence[float]], length: int) -> pd.DataFrame:
    """The columns of ``look.csv``: bins of 100 answers each."""
    rows = []
    for against, of_bins in errors.items():
        for place, wrong in enumerate(of_bins):
            ends = (2.0 ** (place - 1), 2.0**place) if against == "gap" else (place, place)
            rows.append((length, against, *ends, 100, wrong, min(1.0, wrong)))
    return pd.DataFrame(rows, columns=LOOK_COLUMNS)


def look_heads(measures: Mapping[str, float], length: int) -> pd.DataFrame:
    """The columns of ``heads.csv``, of one write and one read head in both phases."""
    known = dict.fromkeys(HEAD_COLUMNS, np.nan) | {"steps": 640, "slots": 128, "delay": 0}
    return pd.DataFrame(
        [
            {**known, "length": length, "does": does, "head": 0, "phase": phase, **measures}
            for does in ("write", "read")
            for phase in ("input", "answer")
        ]
    )


def write_example(path: Path, task: Task, wrong: float, seed: int, *, memory: bool) -> None:
    """Write ``example.npz``: a test sequence with a share of ``wrong`` answers."""
    random = np.random.default_rng(seed)
    length = task.length_range[1]
    batch = task.test_set(length, 1)
    targets = batch.targets[:, 0]
    if task.answer.drawn().kind == "symbols":
        mistaken, others = random.random((len(targets), 1)) < wrong, np.roll(targets, 1, axis=1)
        unsure = 0.1 / task.output_width
    else:
        mistaken, others, unsure = random.random(targets.shape) < wrong, 1 - targets, 0.05
    arrays: dict[str, Any] = {
        "inputs": batch.inputs[:, 0],
        "targets": targets,
        "mask": batch.mask[:, 0],
        "probabilities": np.where(mistaken, others, targets) * 0.9 + unsure,
    }
    told: dict[str, Any] = {
        "length": np.array(length),
        **{name: np.array(value) for name, value in asdict(task.answer.drawn()).items()},
    }
    panels = pack_panels(ntm_panels(**ntm_arrays(len(targets), random))) if memory else {}
    halves = {name: array.astype(np.float16) for name, array in arrays.items()}
    np.savez_compressed(path, **(told | halves | panels))


def ntm_arrays(steps: int, random: np.random.Generator) -> dict[str, NDArray[np.float64]]:
    """What an NTM of one head of each kind may have done to its memory."""
    walk = np.zeros((steps, 1, SLOTS))
    walk[np.arange(steps), 0, (np.arange(steps) // 2) % (SLOTS // 2)] = 0.95
    return {
        "adds": np.tanh(random.normal(size=(steps, 1, WORD))),
        "reads": random.normal(size=(steps, 1, WORD)),
        "write_weightings": np.roll(walk, 1, axis=2),
        "read_weightings": walk,
    }


def make_old(folder: RunFolder) -> None:
    """Give a run of bits the form that runs had before answers could be anything else."""
    status = folder.read_status()
    later = ("unit", "lengths", "state_floats")
    folder.write_status({key: value for key, value in status.items() if key not in later})
    before = {new: old for old, new in EARLIER_NAMES.items()}
    for path in (folder.metrics, folder.evaluation, folder.positions, folder.variations):
        if path.exists():
            folder.write_table(path, pd.read_csv(path).rename(columns=before))
    if folder.example.exists():
        with np.load(folder.example) as file:
            arrays = dict(file)
        had_memory = "panels" in arrays
        kept = ("length", "inputs", "targets", "mask", "probabilities")
        arrays = {name: arrays[name] for name in kept}
        if had_memory:
            memory = ntm_arrays(len(arrays["mask"]), np.random.default_rng(0))
            arrays |= {name: array.astype(np.float16) for name, array in memory.items()}
        folder.write_arrays(folder.example, arrays)


def stack_panels(steps: int) -> list[Panel]:
    """The panels of a stack, 20 cells deep, that is filled and then emptied."""
    rising = np.arange(steps) < steps // 2
    depth = np.minimum(np.arange(steps) + 1, steps - np.arange(steps))
    top = np.cos(np.outer(np.arange(steps), np.arange(4)))
    strength = (np.arange(20) < depth[:, np.newaxis]).astype(float)
    actions = np.stack([rising, ~rising, np.zeros(steps)], axis=1).astype(float)
    return [
        Panel("actions", "", actions, "unit", names=("push", "pop", "noop")),
        Panel("top", "element", top, "signed"),
        Panel("strength", "depth", strength, "weights"),
    ]


#: How a model fares in a campaign: final errors as a share of chance, and the share of its
#: budget after which it is halfway there.
SKILL = {
    "ntm": (0.0, 0.15),
    "lstm": (0.55, 0.5),
    "seq2seq": (0.65, 0.6),
    "memoryless": (1.0, 0.1),
    "constant": (1.0, 0.1),
    "oracle": (0.0, 0.001),
}


def fabricate_campaign(
    results: Path,
    tasks: Sequence[str] = ("copy", "repeat_copy", "recall", "ngrams", "sorting", "priority_sort"),
    models: Sequence[tuple[str, Mapping[str, Any]]] = (
        ("ntm", {"controller": "lstm"}),
        ("ntm", {"controller": "feedforward"}),
        ("lstm", {}),
        ("seq2seq", {}),
        ("memoryless", {}),
    ),
    seeds: int = 10,
    points: int = 50,
) -> int:
    """Write runs that look like a campaign's, with all files of a run; return how many.

    The last seed of the second model is interrupted, that of the third diverged.
    """
    written = 0
    for place_of_task, task in enumerate(tasks):
        made = make_task(task)
        train_length = made.length_range[1]
        chance = made.chance(train_length).errors
        levels = validation_levels(made, 640)
        for place_of_model, (model, settings) in enumerate(models):
            if not set(settings) <= _settings_of(model):
                raise ValueError(f"{model} has no setting {set(settings)}.")
            final, half = SKILL[model]
            if task in ("ngrams", "priority_sort") and model != "oracle":
                final = 0.4 + 0.6 * final
            for seed in range(seeds):
                random = np.random.default_rng([place_of_task, place_of_model, seed])
                pace = half * random.lognormal(0, 0.35)
                floor = final * random.lognormal(0, 0.05) if final else 0.0
                at = np.linspace(0, 1, points + 1)
                share = floor + (1 - floor) / (1 + np.exp(np.clip((at - pace) * 40, -50, 50)))
                share[(final == 0) & (share < 3e-3)] = 0
                wrong = chance * share * random.lognormal(0, 0.1, points + 1)
                last = seed == seeds - 1
                state = {1: "running", 2: "diverged"}.get(place_of_model) if last else None
                state = state or "finished"
                kept = wrong if state == "finished" else wrong[: points // 2]
                growth = random.lognormal(0, 0.5)
                beyond = {
                    length: 0.0
                    if final == 0 and length <= train_length * 6 * growth
                    else float(made.chance(length).errors * min(1, floor + 0.02 * growth))
                    for length in made.test_lengths
                }
                loss = levels.optimum.loss_bits + 2 * kept
                tested_loss = {
                    n: length_levels(made, n, 64).optimum.loss_bits + 2 * bits
                    if task == "ngrams"
                    else 2 * bits
                    for n, bits in beyond.items()
                }
                if model in ("constant", "memoryless"):
                    loss = np.full_like(loss, levels.chance.loss_bits)
                if model == "oracle":
                    loss = np.full_like(loss, levels.optimum.loss_bits)
                    tested_loss = {n: tested_loss[n] - 2 * bits for n, bits in beyond.items()}
                    beyond = dict.fromkeys(beyond, 0.0)
                finished = state == "finished"
                fabricate(
                    results,
                    task,
                    model,
                    seed,
                    model_settings=settings,
                    train_settings={"sequences": 1000 * points, "validation_sequences": 640},
                    errors=list(kept),
                    loss_bits=list(loss),
                    tested=beyond if finished else None,
                    tested_loss=tested_loss,
                    exact={n: float(np.exp(-bits)) for n, bits in beyond.items()},
                    positions={
                        n: list(bits / n * np.linspace(0.5, 1.5, n)) for n, bits in beyond.items()
                    }
                    if finished
                    else None,
                    example=min(0.5, floor / 2) if finished else None,
                    state=state,
                    error="No finite loss at step 7." if state == "diverged" else None,
                    wall_seconds=60.0 * points,
                    sequences_per_second=float(random.normal(500, 20)),
                )
                written += 1
    return written


def _settings_of(model: str) -> set[str]:
    settings: Any = model_entry(model).settings
    return set(settings.__dataclass_fields__)
