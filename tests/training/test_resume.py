"""A run that is stopped at any moment and started again ends with the same numbers, bit for bit."""

from __future__ import annotations

import functools
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from ntmbench.data import files
from ntmbench.registry import make_model, make_task
from ntmbench.runs import pictures, runner
from ntmbench.runs.folder import RunFolder
from ntmbench.runs.results import load_results
from ntmbench.training.checkpoint import CheckpointError, load_checkpoint
from ntmbench.training.interruption import Interrupted
from ntmbench.training.loop import train
from ntmbench.training.observer import Observer, Observers
from ntmbench.training.settings import TrainSettings
from tests.conftest import TINY, Ended
from tests.forks import forked, start_server

Command = Callable[..., Ended]
pytestmark = pytest.mark.usefixtures("undrawn")


class Noisy(nn.Module):
    """A model that draws random numbers in training."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.recurrent = nn.GRU(inputs, 8)
        self.dropout = nn.Dropout(0.5)
        self.output = nn.Linear(8, outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.output(self.dropout(self.recurrent(inputs)[0]))
        return logits


# 16 steps, a validation every 4 and, unless a test says otherwise, a checkpoint after each.
RUN = (
    *(argument for argument in TINY if not argument.startswith("model")),
    "device=cpu",
    "checkpoint_share=1",
    "train.weight_average=0.9",
    "train.schedule=cosine",
)
MODELS = {
    "lstm": ("model=lstm", "model.hidden_size=8"),
    "ntm": ("model=ntm", "model.controller_size=8", "model.memory_slots=8", "model.word_size=4"),
    "custom": ("model=custom", f"model.target={__name__}:Noisy"),
}


# --- Stopping at an exact moment: the process sends the signal to itself. ---


def stop_at(moment: str, signal_number: int, replace: Callable[[Any, str, Any], None]) -> None:
    """Make this process send a signal to itself at a moment, by means of ``replace``.

    ``after step 7`` is before that step's checkpoint; the third row of the learning curve is
    written before ``row 3``; ``checkpoint 2``, the second that a process writes, is complete but
    not in its place; the other moments are the beginnings of the test and of the drawing.
    """

    def stop() -> None:
        os.kill(os.getpid(), signal_number)

    def stopping(function: Callable[..., Any], when: Callable[..., bool]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if when(*args, **kwargs):
                stop()
            return function(*args, **kwargs)

        return wrapped

    what, _, text = moment.rpartition(" ")
    monitor = Observers
    if what == "after step":
        sequences = 4 * int(text)
        replace(monitor, "stepped", stopping(monitor.stepped, lambda self, n, loss: n == sequences))
    elif what == "row":
        after = monitor.validated

        def validated(self: Any, curve: list[Any], *, selected: bool) -> None:
            after(self, curve, selected=selected)
            if len(curve) == int(text):
                stop()

        replace(monitor, "validated", validated)
    elif what == "checkpoint":
        left = iter(range(int(text), 0, -1))

        def is_it(source: Path, target: Path) -> bool:
            return target.name == "checkpoint.pt" and next(left) == 1

        replace(Path, "replace", stopping(Path.replace, is_it))
    else:
        module = {"evaluate_in_detail": runner, "plot_run": pictures}[text]
        replace(module, text, stopping(getattr(module, text), lambda *args, **kwargs: True))


MOMENTS = {
    "lstm": (
        "after step 1",
        "after step 3",
        "row 2",
        "checkpoint 2",
        "after step 8",
        "row 4",
        "at evaluate_in_detail",
        "at plot_run",
    ),
    "ntm": ("after step 1", "after step 6", "row 4", "at evaluate_in_detail"),
    "custom": ("after step 6", "checkpoint 3"),
}


# --- A process of its own, forked from one that has imported everything already. ---


@pytest.fixture(scope="module", autouse=True)
def _fork_server() -> None:
    start_server()


def _undrawn_until(moment: str, signal_number: int) -> None:
    pictures.plot_run = lambda *arguments: []  # as the fixture does in this process
    stop_at(moment, signal_number, setattr)


def stopped(arguments: tuple[str, ...], folder: Path, moment: str, signal_number: int) -> Ended:
    """Run the command in another process, which gets a signal at a moment."""
    return forked(arguments, folder, functools.partial(_undrawn_until, moment, signal_number))


# --- What must be the same. ---


@dataclass(frozen=True)
class Numbers:
    """Everything that a run computes."""

    metrics: list[str]
    evaluation: str
    selected_step: int
    selected: dict[str, list[float]]
    last: dict[str, list[float]]


def run_in(results: Path) -> RunFolder:
    (path,) = (results / "runs").iterdir()
    return RunFolder(path)


def numbers(results: Path) -> Numbers:
    folder = run_in(results)
    status = folder.read_status()
    assert status["state"] == "finished"
    state = load_checkpoint(folder.checkpoint, folder.path.name)
    return Numbers(
        # The text, without the time.
        [
            ",".join(line.split(",")[:2] + line.split(",")[3:])
            for line in folder.metrics.read_text().splitlines()
        ],
        folder.evaluation.read_text(),
        status["selected_step"],
        plain(state["progress"]["selected"]["weights"]),
        plain(state["model"]),
    )


def plain(tensors: dict[str, Tensor]) -> dict[str, list[float]]:
    return {name: tensor.flatten().tolist() for name, tensor in tensors.items()}


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_killed_at_many_moments(ntmbench: Command, tmp_path: Path, model: str) -> None:
    arguments = (*MODELS[model], *RUN)
    whole = ntmbench(*arguments, "results_dir=undisturbed", "checkpoint_share=0")
    assert whole.code == 0
    undisturbed = numbers(tmp_path / "undisturbed")
    for moment in MOMENTS[model]:
        ended = stopped(arguments, tmp_path, moment, signal.SIGKILL)
        assert ended.code == -signal.SIGKILL, f"{moment}: {ended}"
        status = run_in(tmp_path / "results").read_status()
        assert status["state"] == "running"
    ended = ntmbench(*arguments)
    assert ended.code == 0
    assert "Resumed at step " in ended.out
    assert numbers(tmp_path / "results") == undisturbed
    assert not list((tmp_path / "results").rglob("*.part"))


SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_signal_leaves_a_checkpoint(
    ntmbench: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    code: int,
) -> None:
    arguments = (*MODELS["lstm"], *RUN, "checkpoint_share=0")
    assert ntmbench(*arguments, "results_dir=undisturbed").code == 0
    for moment, resumed in (
        ("after step 7", 7),
        ("at evaluate_in_detail", 16),
        ("at plot_run", 16),
    ):
        with monkeypatch.context() as patched:
            stop_at(moment, number, patched.setattr)
            ended = ntmbench(*arguments)
        assert ended.code == code
        assert ended.err == "ntmbench: interrupted; resume with the same command.\n"
        folder = run_in(tmp_path / "results")
        state = load_checkpoint(folder.checkpoint, folder.path.name)
        assert state["progress"]["step"] == resumed
        row = load_results(tmp_path / "results").runs.iloc[0]
        assert (row["state"], row["active"]) == ("running", False)
    ended = ntmbench(*arguments)
    assert (ended.code, ended.err) == (0, "")
    assert numbers(tmp_path / "results") == numbers(tmp_path / "undisturbed")


@pytest.mark.slow
def test_interrupt_from_outside(ntmbench: Command, tmp_path: Path) -> None:
    """As a user does it: the command in a process of its own, and Ctrl-C."""
    arguments = (*MODELS["lstm"], *RUN, "train.sequences=400000", "train.validate_every=4000")
    process = subprocess.Popen(
        [sys.executable, "-m", "ntmbench", *arguments, "checkpoint_share=0"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        metrics = tmp_path / "results" / "runs"
        deadline = time.monotonic() + 60
        while not any(len(pd.read_csv(f)) > 1 for f in metrics.glob("*/metrics.csv")):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Stopping after this step" in out
    assert err == "ntmbench: interrupted; resume with the same command.\n"
    folder = run_in(tmp_path / "results")
    state = load_checkpoint(folder.checkpoint, folder.path.name)
    assert state["progress"]["step"] >= 1000
    assert not list(folder.path.glob("*.part"))


# --- Checkpoints that must not be taken. ---


def truncated(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


def flipped(content: bytes) -> bytes:
    """One bit of a weight, in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 64]) + content[middle + 1 :]


def of_another_run(content: bytes) -> bytes:
    return repacked(content, identity="copy-lstm-s7-01234567")


def of_another_format(content: bytes) -> bytes:
    return repacked(content, format=99)


def repacked(content: bytes, **changes: Any) -> bytes:
    unpacked = torch.load(io.BytesIO(content), weights_only=True)
    packed = io.BytesIO()
    torch.save({**unpacked, **changes}, packed)
    return packed.getvalue()


def of_something_else(content: bytes) -> bytes:
    packed = io.BytesIO()
    torch.save([torch.zeros(3)], packed)
    return packed.getvalue()


DAMAGES: list[tuple[Callable[[bytes], bytes], str]] = [
    (truncated, "is damaged"),
    (flipped, "is damaged"),
    (lambda content: b"", "is damaged"),
    (lambda content: b"weights: none\n", "is damaged"),
    (of_another_run, "belongs to another run (copy-lstm-s7-01234567, not "),
    (of_another_format, "has checkpoint format 99; this version reads 1"),
    (of_something_else, "is not a checkpoint of this suite"),
]


@pytest.mark.parametrize(("damage", "reason"), DAMAGES)
def test_checkpoint_that_is_refused(
    ntmbench: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[bytes], bytes],
    reason: str,
) -> None:
    arguments = (*MODELS["lstm"], *RUN)
    with monkeypatch.context() as patched:
        stop_at("after step 7", signal.SIGINT, patched.setattr)
        ntmbench(*arguments)
    folder = run_in(tmp_path / "results")
    content = damage(folder.checkpoint.read_bytes())
    folder.checkpoint.write_bytes(content)
    metrics = folder.metrics.read_bytes()
    ended = ntmbench(*arguments)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    relative = folder.checkpoint.relative_to(tmp_path)
    assert ended.err.startswith(f"ntmbench: {relative} {reason}")
    assert "Move it away to start this run anew." in ended.err
    assert folder.checkpoint.read_bytes() == content
    assert folder.metrics.read_bytes() == metrics
    status = folder.read_status()
    assert (status["state"], status["error"]) == ("failed", ended.err[len("ntmbench: ") : -1])
    if damage is truncated:  # the remedy in the message works
        folder.checkpoint.rename(tmp_path / "moved_away.pt")
        assert ntmbench(*arguments).code == 0
        assert folder.read_status()["error"] is None


class Stop(Observer):
    """Interrupts training after some sequences."""

    def __init__(self, sequences: int) -> None:
        self.sequences = sequences

    def stepped(self, sequences: int, loss_bits: Callable[[], float]) -> None:
        if sequences == self.sequences:
            os.kill(os.getpid(), signal.SIGINT)


SETTINGS: dict[str, Any] = {
    "sequences": 40,
    "batch_size": 4,
    "validate_every": 20,
    "validation_sequences": 32,
    "selection_sequences": 8,
}


@pytest.mark.parametrize(
    ("hidden_size", "changes", "seed"),
    [(9, {}, 0), (8, {"optimizer": "adam"}, 0), (8, {"weight_average": 0.9}, 0), (8, {}, 1)],
)
def test_library_call_leaves_the_model_as_it_was_where_it_refuses(
    tmp_path: Path, hidden_size: int, changes: dict[str, Any], seed: int
) -> None:
    task = make_task("copy", max_length=3)
    checkpoint = tmp_path / "copy.pt"
    model = make_model("lstm", 9, 8, hidden_size=8)
    with pytest.raises(Interrupted):
        train(
            model,
            task,
            TrainSettings(**SETTINGS),
            device="cpu",
            checkpoint=checkpoint,
            observer=Stop(20),
        )
    other = make_model("lstm", 9, 8, hidden_size=hidden_size)
    before = plain(other.state_dict())
    settings = TrainSettings(**{**SETTINGS, **changes})
    with pytest.raises(CheckpointError, match=r"copy\.pt (belongs to another|holds weights of)"):
        train(other, task, settings, seed=seed, device="cpu", checkpoint=checkpoint)
    assert plain(other.state_dict()) == before


def test_second_signal_acts_at_once() -> None:
    """A user need not wait for the end of a long step."""

    class Impatient(Observer):
        def stepped(self, sequences: int, loss_bits: Callable[[], float]) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    model, task = make_model("lstm", 9, 8, hidden_size=8), make_task("copy", max_length=3)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt) as stopped:
        train(model, task, TrainSettings(**SETTINGS), device="cpu", observer=Impatient())
    assert not isinstance(stopped.value, Interrupted)
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.slow
def test_half_written_files_of_a_killed_process_are_removed(
    ntmbench: Command, tmp_path: Path
) -> None:
    arguments = (*MODELS["lstm"], *RUN)
    stopped(arguments, tmp_path, "checkpoint 3", signal.SIGKILL)
    folder = run_in(tmp_path / "results")
    (left,) = folder.path.glob(f".*{files.SUFFIX}")
    assert left.name.startswith(".checkpoint.pt.")
    assert ntmbench(*arguments).code == 0
    assert not left.exists()
