"""A run from the command line to its files, and the same command once more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from omegaconf import OmegaConf

from ntmbench import load_results, registry
from ntmbench.errors import UserError
from ntmbench.runs import provenance, runner
from ntmbench.runs.folder import RunFolder
from ntmbench.runs.results import (
    EVALUATION_COLUMNS,
    LOOK_COLUMNS,
    METRICS_COLUMNS,
    POSITION_COLUMNS,
    VARIATION_COLUMNS,
)
from tests.conftest import TINY, Ended, command

Command = Callable[..., Ended]


def only_run(tmp_path: Path) -> RunFolder:
    (path,) = (tmp_path / "results" / "runs").iterdir()
    return RunFolder(path)


@pytest.mark.slow
def test_too_small_a_memory_is_named(ntmbench: Command) -> None:
    small = ["model=ntm", "model.controller_size=8", "task.max_length=9", *TINY[3:]]
    told = "The memory has 8 slots, and sequences of length 9 have 9 items to store."
    for slots, expected in ((8, True), (9, False)):
        ended = ntmbench(*small, f"model.memory_slots={slots}")
        assert ended.code == 0
        assert (told in ended.out.replace("\n", " ")) is expected


def test_files_of_a_finished_run(ntmbench: Command, tmp_path: Path) -> None:
    ended = ntmbench(*TINY, "seed=3")
    assert (ended.code, ended.err) == (0, "")
    folder = only_run(tmp_path)
    assert folder.path.name.startswith("copy-lstm-s3-")
    assert str(folder.path.relative_to(tmp_path)) in ended.out
    status = folder.read_status()
    assert status["state"] == "finished"
    assert {"torch", "ntmbench", "python"} <= status["versions"].keys()
    config = OmegaConf.load(folder.config)
    assert OmegaConf.select(config, "task.max_length") == OmegaConf.select(config, "seed") == 3
    metrics = pd.read_csv(folder.metrics)
    assert list(metrics.columns) == METRICS_COLUMNS
    assert list(metrics["sequences"]) == [0, 16, 32, 48, 64]
    evaluation = pd.read_csv(folder.evaluation)
    assert list(evaluation.columns) == EVALUATION_COLUMNS
    assert list(evaluation["length"]) == [3, 5]
    assert list(evaluation["chance_errors"]) == [12, 20]
    positions = pd.read_csv(folder.positions)
    assert list(positions.columns) == POSITION_COLUMNS
    assert list(positions["position"]) == [0, 1, 2, 0, 1, 2, 3, 4]
    sums = positions.groupby("length")["errors"].sum()
    assert list(sums) == pytest.approx(list(evaluation["errors"]))
    look = pd.read_csv(folder.look)
    assert list(look.columns) == LOOK_COLUMNS
    assert list(look["length"]) == [3, 3, 3, 4, 4, 4, 4]  # that of training, and the next
    assert not folder.variations.exists()  # copy names none
    assert not folder.heads.exists()  # the LSTM has none
    with np.load(folder.example) as example:
        assert example["probabilities"].shape == example["targets"].shape == (7, 8)
    assert "finished" not in folder.log.read_text()
    assert {path.name for path in folder.plots.iterdir()} >= {"learning_curve.png", "example.png"}


def test_finished_run_is_not_run_again(
    ntmbench: Command, tiny_run: RunFolder, undrawn: None
) -> None:
    folder = tiny_run
    stamps = {path: path.stat().st_mtime_ns for path in folder.path.iterdir() if path.is_file()}
    ended = ntmbench(*TINY)
    assert ended.code == 0
    assert "already done" in ended.out
    unchanged = {path: path.stat().st_mtime_ns for path in stamps}
    unchanged.pop(folder.path / ".lock")
    stamps.pop(folder.path / ".lock")
    assert unchanged == stamps
    before = folder.metrics.read_text()
    assert "already done" not in ntmbench(*TINY, "rerun=true").out
    assert without_seconds(before) == without_seconds(folder.metrics.read_text())


def without_seconds(csv: str) -> list[list[str]]:
    """The cells of a metrics.csv but for its third column, the time."""
    rows = [line.split(",") for line in csv.splitlines()]
    return [row[:2] + row[3:] for row in rows]


def test_identity_ignores_what_can_not_change_the_numbers(
    ntmbench: Command, tmp_path: Path, tiny_run: RunFolder, undrawn: None
) -> None:
    ended = ntmbench(*TINY, "device=cpu", "threads=2", "checkpoint_share=0")
    assert "already done" in ended.out
    ntmbench(*TINY, "train.learning_rate=0.002")
    ntmbench(*TINY, "task.bits=4")
    assert len(list((tmp_path / "results" / "runs").iterdir())) == 3


def test_load_results_reads_finished_and_unfinished_runs(
    ntmbench: Command, tmp_path: Path, tiny_run: RunFolder, undrawn: None
) -> None:
    ntmbench(*TINY, "seed=1")
    second = next(p for p in (tmp_path / "results" / "runs").iterdir() if "-s1-" in p.name)
    status = RunFolder(second).read_status()
    RunFolder(second).write_status({**status, "state": "running"})
    (second / "evaluation.csv").unlink()
    broken = tmp_path / "results" / "runs" / "copy-ntm-s9-00000000"
    broken.mkdir()
    (broken / "status.json").write_text("{")
    results = load_results(tmp_path / "results")
    runs = results.runs.set_index("seed")
    assert list(runs.loc[[0, 1], "state"]) == ["finished", "running"]
    assert not runs.loc[1, "active"]
    assert runs["setting"].nunique() == 1
    assert set(results.metrics["seed"]) == {0, 1}
    assert set(results.evaluation["seed"]) == {0}
    assert list(results.unreadable) == [str(broken)]


REPEAT_COPY = (
    "task=repeat_copy",
    "task.max_repeats=2",
    *(argument for argument in TINY if not argument.startswith("evaluation.lengths")),
)


def test_variations_are_tested(ntmbench: Command, tmp_path: Path, undrawn: None) -> None:
    assert ntmbench(*REPEAT_COPY).code == 0
    variations = pd.read_csv(only_run(tmp_path).variations)
    assert list(variations.columns) == VARIATION_COLUMNS
    assert list(variations["variation"]) == ["length 3, repeats 4"]
    assert list(variations["sequences"]) == [16]


def test_load_results_reads_every_table(ntmbench: Command, tmp_path: Path, undrawn: None) -> None:
    ntmbench(*REPEAT_COPY)
    ntmbench(*REPEAT_COPY, "seed=1")
    results = load_results(tmp_path / "results")
    keys = ["run", "task", "model", "seed"]
    for table, columns in (
        (results.metrics, METRICS_COLUMNS),
        (results.evaluation, EVALUATION_COLUMNS),
        (results.positions, POSITION_COLUMNS),
        (results.variations, VARIATION_COLUMNS),
        (results.look, LOOK_COLUMNS),
    ):
        assert list(table.columns) == keys + columns
        assert set(table["run"]) == set(results.runs["run"])
        assert set(table["seed"]) == {0, 1}
    status = only_status(tmp_path)
    row = results.runs.iloc[0]
    assert row["versions"].startswith(f"python {status['versions']['python']}, ntmbench ")
    assert ([row["commit"]], row["ended"]) == (status["commits"], status["ended"])


def only_status(tmp_path: Path) -> dict[str, Any]:
    """The status of the first of two runs that differ only in their seed."""
    return RunFolder(min((tmp_path / "results" / "runs").iterdir())).read_status()


def test_run_of_an_earlier_version_can_be_read(
    ntmbench: Command, tmp_path: Path, undrawn: None
) -> None:
    """It has only the first two tables, and no versions."""
    ntmbench(*REPEAT_COPY)
    folder = only_run(tmp_path)
    for path in (folder.positions, folder.variations, folder.look, folder.example):
        path.unlink()
    status = folder.read_status()
    for later in ("versions", "commits", "digests"):
        del status[later]
    folder.write_status(status)
    results = load_results(tmp_path / "results")
    assert not results.unreadable
    assert len(results.evaluation) > 0
    assert (len(results.positions), len(results.variations), len(results.look)) == (0, 0, 0)
    assert results.runs.loc[0, ["versions", "commit"]].isna().all()
    assert "already done" in ntmbench(*REPEAT_COPY).out


@pytest.mark.parametrize("before", [{"commits": ["a" * 40]}, {"commit": "a" * 40}])
def test_resumed_run_knows_all_its_commits_and_all_its_time(
    ntmbench: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tiny_run: RunFolder,
    undrawn: None,
    before: dict[str, Any],
) -> None:
    folder = tiny_run
    status = folder.read_status()
    del status["commits"]
    folder.write_status({**status, **before, "state": "failed", "wall_seconds": 500.0})
    monkeypatch.setattr(provenance, "_commit", lambda: "b" * 40)
    ntmbench(*TINY)
    assert folder.read_status()["commits"] == ["a" * 40, "b" * 40]
    assert 500 < folder.read_status()["wall_seconds"] < 600
    (row,) = load_results(tmp_path / "results").runs.to_dict("records")
    assert row["commit"] == f"{'a' * 40}, then {'b' * 40}"


def test_the_time_of_a_run_that_is_killed_is_known(
    ntmbench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undrawn: None
) -> None:
    """Nothing is written when it is killed, so that the time is the one written before."""
    written: list[dict[str, Any]] = []
    write_status = RunFolder.write_status

    def recorded(folder: RunFolder, status: dict[str, Any]) -> None:
        written.append(dict(status))
        write_status(folder, status)

    monkeypatch.setattr(RunFolder, "write_status", recorded)
    ntmbench(*TINY)
    running = [status["wall_seconds"] for status in written if status["state"] == "running"]
    # Before and after the device is chosen, at each validation, and before the test's results.
    assert len(running) == 2 + 5 + 1
    assert running[0] < running[-1]


@pytest.mark.parametrize(
    ("error", "code", "state"),
    [(KeyboardInterrupt(), 130, "running"), (UserError("no such device"), 2, "failed")],
    ids=["interrupted", "failed"],
)
def test_a_run_that_ends_before_its_device_is_chosen_has_a_whole_status(
    ntmbench: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    undrawn: None,
    error: BaseException,
    code: int,
    state: str,
) -> None:
    def choose(*arguments: Any) -> Any:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(runner, "training_device", choose)
        assert ntmbench(*TINY).code == code
    (row,) = load_results(tmp_path / "results").runs.to_dict("records")
    assert row["state"] == state
    assert row["commit"]
    assert row["started"]
    assert ntmbench(*TINY).code == 0
    assert only_run(tmp_path).read_status()["state"] == "finished"


@pytest.mark.slow
def test_threads_setting_is_honoured(ntmbench: Command, tmp_path: Path) -> None:
    ntmbench(*TINY, "threads=2")
    assert torch.get_num_threads() == 2
    assert only_run(tmp_path).read_status()["threads"] == 2


def test_diverged_run_keeps_its_last_good_weights(
    ntmbench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undrawn: None
) -> None:
    (tmp_path / "exploding.py").write_text(
        "import torch\n"
        "from torch import nn\n"
        "class Exploding(nn.Module):\n"
        '    """Its logits are not finite from its ninth training step on."""\n'
        "    def __init__(self, inputs, outputs):\n"
        "        super().__init__()\n"
        "        self.linear = nn.Linear(inputs, outputs)\n"
        "        self.steps = 0\n"
        "    def forward(self, inputs):\n"
        "        self.steps += self.training and torch.is_grad_enabled()\n"
        "        factor = float('nan') if self.training and self.steps > 8 else 1.0\n"
        "        return self.linear(inputs) * factor\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    tiny = [argument for argument in TINY if not argument.startswith("model")]
    ended = ntmbench("model=custom", "model.target=exploding:Exploding", "train.patience=3", *tiny)
    assert ended.code == 1
    assert "diverged after 11 steps" in ended.out
    (folder,) = (RunFolder(p) for p in (tmp_path / "results" / "runs").iterdir())
    status = folder.read_status()
    assert (status["state"], status["rejected_steps"]) == ("diverged", 3)
    assert status["selected_step"] <= 8
    assert len(pd.read_csv(folder.evaluation)) == 2
    assert pd.read_csv(folder.metrics)["loss_bits"].notna().all()


def test_unexpected_failure_is_one_line(
    ntmbench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undrawn: None
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("out of\nluck")

    with monkeypatch.context() as patched:
        patched.setattr(runner, "evaluate_in_detail", broken)
        ended = ntmbench(*TINY)
    folder = only_run(tmp_path)
    log = folder.log.relative_to(tmp_path)
    reason = f"ntmbench: RuntimeError: out of luck (the traceback is in {log})\n"
    assert (ended.code, ended.err) == (1, reason)
    assert "Traceback" in folder.log.read_text()
    assert folder.read_status()["state"] == "failed"


@pytest.mark.slow
def test_deleted_test_grid_is_made_again(ntmbench: Command, tiny_run: RunFolder) -> None:
    folder = tiny_run
    evaluation, metrics = folder.evaluation.read_text(), folder.metrics.read_text()
    folder.evaluation.unlink()
    ended = ntmbench(*TINY)
    assert (ended.code, ended.err) == (0, "")
    assert "Resumed at step 16." in ended.out
    assert (folder.evaluation.read_text(), folder.metrics.read_text()) == (evaluation, metrics)


def test_rerun_removes_the_old_tables(
    ntmbench: Command, tiny_run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_run
    assert folder.metrics.exists()

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(runner, "train", broken)
    ntmbench(*TINY, "rerun=true")
    tables = (folder.metrics, folder.evaluation, folder.positions, folder.look)
    for path in (*tables, folder.example):
        assert not path.exists()


@pytest.mark.slow
def test_edited_class_is_a_new_run(tmp_path: Path) -> None:
    net = "from torch import nn\nclass Net(nn.Linear):\n    scale = {}\n"
    rest = [argument for argument in TINY if not argument.startswith("model")]
    for scale in (1, 2, 1):
        (tmp_path / "edited_net.py").write_text(net.format(scale))
        ended = command("model=custom", "model.target=edited_net:Net", *rest, folder=tmp_path)
        assert (ended.code, ended.err) == (0, "")
    assert "already done" in ended.out
    assert len(list((tmp_path / "results" / "runs").iterdir())) == 2


@pytest.mark.slow
def test_why_the_engine_is_eager_is_in_the_log(ntmbench: Command, tmp_path: Path) -> None:
    rest = [argument for argument in TINY if not argument.startswith("model")]
    ended = ntmbench("model.controller=gru", "model.memory_slots=4", *rest)
    assert ended.code == 0
    assert only_run(tmp_path).log.read_text().count("The eager engine runs") == 1


def test_all_threads_are_those_that_the_process_may_use(
    ntmbench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undrawn: None
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {3})
    monkeypatch.setattr("os.cpu_count", lambda: 7)
    ntmbench(*TINY, "threads=0")
    assert only_run(tmp_path).read_status()["threads"] == 1


@pytest.mark.slow
def test_help_is_short_work(tmp_path: Path) -> None:
    ended = command("--help", folder=tmp_path)
    assert ended.code == 0
    assert f"task= {registry.task_names()[0]}, " in ended.out
    assert "train.learning_rate=" in ended.out
    for group, choice in (("budget", "copy"), ("recipe", "lstm"), ("recipe", "copy_ntm")):
        assert any(
            line.startswith(f"{group}= ") and choice in line for line in ended.out.splitlines()
        )
    assert "paper/copy_lstm" in ended.out
    words = " ".join(ended.out.split())
    assert " model.memory_slots=128 Memory slots, N. " in words
    assert " task.max_repeats=10 Most repeats in training, from 1 to 100000. " in words
    assert "model=oracle (a control): The logits of the oracle's probabilities" in words
    assert "+experiment= reference/" in ended.out
    assert "schema/" not in ended.out
    assert not list(tmp_path.iterdir())
