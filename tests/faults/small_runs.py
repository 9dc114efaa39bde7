"""Small runs that faults befall: their command lines, and everything that they compute."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from hydra.core.global_hydra import GlobalHydra

from ntmbench.commands import application
from ntmbench.data.files import write_bytes
from ntmbench.registry import model_names
from ntmbench.runs import pictures
from ntmbench.runs.folder import RunFolder
from ntmbench.training.checkpoint import digest_of, load_checkpoint
from tests.conftest import Ended

#: Eight steps, a validation after every fourth, and a checkpoint after each.
SMALL = (
    "task.max_length=3",
    "train.sequences=32",
    "train.batch_size=4",
    "train.validate_every=16",
    "train.validation_sequences=16",
    "train.selection_sequences=8",
    "evaluation.sequences=8",
    "evaluation.lengths=[3,5]",
    "device=cpu",
    "observers=[lines]",
    "checkpoint_share=1",
)
WIDTHS = {
    "ntm": ("model.controller_size=8", "model.memory_slots=8", "model.word_size=4"),
    "custom": ("model.target=torch.nn:Linear",),
    "lstm": ("model.hidden_size=8",),
    "seq2seq": ("model.hidden_size=8",),
    "stack_rnn": ("model.hidden_size=8",),
    "rnn": ("model.hidden_size=8",),
    "gru": ("model.hidden_size=8",),
    "attention_seq2seq": ("model.hidden_size=8",),
    "transformer": ("model.hidden_size=8",),
    "looped_transformer": ("model.hidden_size=8", "model.loops=2"),
    "linear_attention": ("model.hidden_size=8",),
    "delta_net": ("model.hidden_size=8",),
    "gated_delta_net": ("model.hidden_size=8",),
    "delta_product": ("model.hidden_size=8",),
    "mlstm": ("model.hidden_size=8",),
    "slstm": ("model.hidden_size=8",),
    "ttt_linear": ("model.hidden_size=8",),
    "rwkv7": ("model.hidden_size=8", "model.rank=4"),
    "mamba2": ("model.hidden_size=8", "model.state_size=4"),
    "tape_rnn": ("model.hidden_size=8", "model.writer_size=8"),
    "sparse_memory": ("model.controller_size=8", "model.word_size=4"),
    "dnc": ("model.controller_size=8", "model.memory_slots=8", "model.word_size=4"),
}


def small_run(model: str) -> tuple[str, ...]:
    """The command line of a small run of a model."""
    return (f"model={model}", *WIDTHS.get(model, ()), *SMALL)


def small_runs() -> dict[str, tuple[str, ...]]:
    """A small run of every model."""
    return {model: small_run(model) for model in model_names()}


def ntmbench(*arguments: str) -> Ended:
    """Run ``python -m ntmbench ...`` in this process and folder."""
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    with (
        mock.patch.object(sys, "argv", ["ntmbench", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            application.main()
        except SystemExit as error:
            code = error.code or 0
        finally:
            GlobalHydra.instance().clear()
    return Ended(int(code), out.getvalue(), err.getvalue())


@contextlib.contextmanager
def empty_folder() -> Iterator[Path]:
    """Work in an empty folder, on one thread, with pictures that take no time to draw."""
    before, threads = Path.cwd(), torch.get_num_threads()
    torch.set_num_threads(1)
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(pictures, "plot_run", _plot_nothing),
    ):
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(before)
            torch.set_num_threads(threads)


def _plot_nothing(folder: RunFolder, *arguments: object) -> list[Path]:
    """Write what stands for the pictures."""
    folder.plots.mkdir(parents=True, exist_ok=True)
    path = folder.plots / "picture.png"
    write_bytes(path, b"\x89PNG")
    return [path]


def only_run(results: Path) -> RunFolder:
    """The one run of a results folder."""
    (path,) = (results / "runs").iterdir()
    return RunFolder(path)


def numbers(folder: RunFolder) -> dict[str, Any]:
    """Everything that a finished run computes, without what depends on the time."""
    status = folder.read_status()
    state = load_checkpoint(folder.checkpoint, folder.path.name)
    tables = (folder.evaluation, folder.positions, folder.variations, folder.look, folder.heads)
    curve = [line.split(",") for line in folder.metrics.read_text().splitlines()]
    return {
        "state": status["state"],
        "selected_step": status["selected_step"],
        "weights": digest_of([state["model"], state["progress"]["selected"]["weights"]]),
        "curve": [row[:2] + row[3:] for row in curve],
        "files": sorted(str(p.relative_to(folder.path)) for p in folder.path.rglob("*")),
        **{p.name: p.read_bytes() for p in (*tables, folder.example) if p.exists()},
    }


def differing(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """The names of what is not the same."""
    names = sorted({*found, *expected})
    return [name for name in names if found.get(name) != expected.get(name)]


def in_one_line(ended: Ended) -> bool:
    """Whether a command said in a line why it ended."""
    return ended.err.startswith("ntmbench: ") and ended.err.count("\n") == 1


def shown(arguments: Sequence[str]) -> str:
    """A command line as one may type it."""
    return f"python -m ntmbench {' '.join(arguments)}"
