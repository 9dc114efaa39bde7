"""Sweeps: each cell is a run of its own, and all of them are accounted for at the end."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from ntmbench.commands.sweeps import conclude, read_cells, write_cell
from ntmbench.evaluation import grid
from ntmbench.runs import runner
from ntmbench.runs.folder import RunFolder
from tests.commands.swept import CELL, numbers, table_of
from tests.conftest import Ended, command

Command = Callable[..., Ended]
pytestmark = pytest.mark.usefixtures("undrawn")


def test_refused_cell_stops_no_other_and_finished_ones_are_skipped(
    ntmbench: Command, tmp_path: Path
) -> None:
    arguments = ("-m", "task=copy,ngrams", "model=lstm,seq2seq", *CELL)
    ended = ntmbench(*arguments)
    assert (ended.code, ended.err) == (1, "")
    cells = table_of(tmp_path)
    assert list(zip(cells["task"], cells["model"], cells["state"], strict=True)) == [
        ("copy", "lstm", "finished"),
        ("copy", "seq2seq", "finished"),
        ("ngrams", "lstm", "finished"),
        ("ngrams", "seq2seq", "failed"),
    ]
    assert list(cells["length"]) == ["6", "6", "6", ""]
    assert list(cells["seed"]) == [0, 0, 0, 0]
    assert cells["reason"][3].startswith("model=seq2seq needs an input phase to encode")
    *_, listed = ended.out.partition("1 of 4 cells did not finish:")
    assert "  task=ngrams model=seq2seq model.hidden_size=8 " in listed
    assert ": model=seq2seq needs an input phase to encode" in listed
    runs = list((tmp_path / "results" / "runs").iterdir())
    assert len(runs) == 3  # nothing is written for the refused one
    assert {Path(folder).name for folder in cells["folder"][:3]} == {run.name for run in runs}
    stamps = {file: file.stat().st_mtime_ns for run in runs for file in run.glob("*.csv")}

    again = ntmbench(*arguments)
    assert again.code == 1
    assert again.out.count("already done") == 3
    assert {file: file.stat().st_mtime_ns for file in stamps} == stamps
    assert list(table_of(tmp_path)["state"]) == ["finished"] * 3 + ["failed"]


LEAVING = """
from torch import nn

class Net(nn.Linear):
    calls = 0

    def forward(self, inputs):
        if self.training:
            Net.calls += 1
            if Net.calls == 5:  # the others' model checks pass before and after
                raise SystemExit(3)
        return super().forward(inputs)
"""


@pytest.mark.slow
def test_model_that_ends_the_process_ends_its_cell_alone(
    ntmbench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"leaving_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(LEAVING)
    monkeypatch.syspath_prepend(str(tmp_path))
    custom = ("model=custom", f"model.target={name}:Net")
    cell = (argument for argument in CELL if not argument.startswith("model"))
    ended = ntmbench("-m", *custom, "seed=0,1,2", *cell)
    assert (ended.code, ended.err) == (1, "")
    cells = table_of(tmp_path)
    assert list(cells["state"]) == ["failed", "finished", "finished"]
    assert cells["reason"][0] == "SystemExit: 3"
    failed = next((tmp_path / "results" / "runs").glob("copy-custom-s0-*"))
    assert '"state": "failed"' in (failed / "status.json").read_text()


def test_cell_that_another_process_holds_is_told_as_held(ntmbench: Command, tmp_path: Path) -> None:
    arguments = ("-m", "task=copy", "model=lstm", "seed=0,1", *CELL)
    assert ntmbench(*arguments).code == 0
    held = next((tmp_path / "results" / "runs").glob("copy-lstm-s0-*"))
    with RunFolder(held).locked():
        ended = ntmbench(*arguments, "rerun=true")
    assert (ended.code, ended.err) == (1, "")
    cells = table_of(tmp_path)
    assert list(cells["state"]) == ["held", "finished"]
    assert cells["reason"][0].startswith("Another process is at work on this run")


def test_no_cell_of_the_table_is_a_formula(tmp_path: Path) -> None:
    overrides = ["+model.arguments.x==cmd|' /C calc'!A0"]
    write_cell(tmp_path / "0", 0, overrides, None, "failed", reason="=1+1")
    conclude(tmp_path, Console())
    table = pd.read_csv(tmp_path / "sweep.csv")
    assert table["reason"].item() == "'=1+1"
    assert table["overrides"].item() == f"'{overrides[0]}"


def test_a_cell_whose_file_is_damaged_is_told_as_unreadable(tmp_path: Path) -> None:
    cells = [["task=copy", "seed=0"], ["task=copy", "seed=1"]]
    for number, overrides in enumerate(cells):
        write_cell(tmp_path / str(number), number, overrides, None, "finished")
    path = tmp_path / "1" / "cell.json"
    path.write_text(path.read_text().replace("finished", "finishee"))
    for expected in (cells, ()):
        table = read_cells(tmp_path, expected)
        assert list(table["state"]) == ["finished", "unreadable"]
        assert str(path) in table["reason"][1]
    assert conclude(tmp_path, Console(quiet=True), cells) == 1


def test_interrupt_while_modules_are_imported_is_one_line(tmp_path: Path) -> None:
    """A module stands in for a slow import, in which the signal comes."""
    (tmp_path / "torch.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    ended = command("task=copy", folder=tmp_path, PYTHONPATH=str(tmp_path))
    assert (ended.code, ended.out) == (130, "")
    assert ended.err == "ntmbench: interrupted before anything began.\n"


def test_sweep_of_finished_cells_ends_well(ntmbench: Command, tmp_path: Path) -> None:
    arguments = ["-m", "task=copy", "model=lstm", "seed=0,1", *CELL]
    ended = ntmbench(*arguments)
    assert (ended.code, ended.err) == (0, "")
    assert sys.argv[1:] == arguments  # Hydra got other overrides
    cells = table_of(tmp_path)
    assert list(cells["seed"]) == [0, 1]
    assert list(cells["errors"]) == [
        pd.read_csv(Path(tmp_path, folder, "evaluation.csv"))["errors"].item()
        for folder in cells["folder"]
    ]
    assert "did not finish" not in ended.out
    (written,) = (tmp_path / "results" / "sweeps").glob("*/sweep.csv")
    assert str(written.relative_to(tmp_path)) in ended.out


def test_cell_that_is_wrong_only_as_a_pair(ntmbench: Command, tmp_path: Path) -> None:
    """Each value is tried with the first values of the others, and so a wrong one is found."""
    lengths = [argument for argument in CELL if not argument.startswith("task.min_length")]
    ended = ntmbench("-m", "task=copy,ngrams", "task.min_length=6,5", "model=lstm", *lengths)
    assert ended.code == 1
    cells = table_of(tmp_path)
    assert list(cells["state"]) == ["finished", "finished", "finished", "failed"]
    assert "task.min_length=5 is out of range" in cells["reason"][3]
    assert "task=ngrams task.min_length=5" in cells["overrides"][3]


def test_cell_that_breaks_down_or_diverges(
    ntmbench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "sweep_nets.py").write_text(
        "import torch\n"
        "from torch import nn\n"
        "class Sound(nn.Linear):\n"
        "    pass\n"
        "class Breaking(nn.Linear):\n"
        "    def forward(self, inputs):\n"
        "        if self.training:\n"
        "            raise RuntimeError('too long\\nfor me')\n"
        "        return super().forward(inputs)\n"
        "class Exploding(nn.Linear):\n"
        "    def forward(self, inputs):\n"
        "        return super().forward(inputs) * (float('nan') if self.training else 1)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    nets = ",".join(f"sweep_nets:{name}" for name in ("Breaking", "Exploding", "Sound"))
    rest = [a for a in CELL if not a.startswith("model")] + ["train.patience=3"]
    ended = ntmbench("-m", "task=copy", "model=custom", f"model.target={nets}", *rest)
    assert ended.code == 1
    cells = table_of(tmp_path)
    assert list(cells["state"]) == ["failed", "diverged", "finished"]
    assert cells["reason"][0].endswith("RuntimeError: too long for me")
    assert "\n" not in cells["reason"][0]
    assert cells["reason"][1].startswith("diverged after ")
    assert "2 of 3 cells did not finish:" in ended.out


@pytest.mark.slow
def test_interrupted_sweep_goes_on_with_the_same_command(
    ntmbench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("-m", "task=copy", "model=lstm", "seed=0,1,2", *CELL)
    assert ntmbench(*arguments, "results_dir=undisturbed").code == 0
    evaluate = grid.evaluate_in_detail
    calls = iter(range(9))

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return evaluate(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(runner, "evaluate_in_detail", interrupted)
        ended = ntmbench(*arguments)
    assert ended.code == 130
    assert ended.err == "ntmbench: interrupted; resume with the same command.\n"
    assert list(table_of(tmp_path)["state"]) == ["finished", "interrupted", "not started"]
    assert list(table_of(tmp_path)["seed"]) == [0, 1, 2]
    assert "seed=2 " in ended.out
    assert ": not started" in ended.out
    again = ntmbench(*arguments)
    assert (again.code, again.err) == (0, "")
    assert (again.out.count("already done"), again.out.count("Resumed at")) == (1, 1)
    assert list(table_of(tmp_path)["state"]) == ["finished"] * 3
    assert numbers(tmp_path / "results") == numbers(tmp_path / "undisturbed")


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["model=lstm,lstn"], "model=lstn is not a choice."),
        (["seed=0,-1"], "seed=-1 is out of range."),
        (["task=copy,recall", "task.item_length=2"], "Unknown setting task.item_length."),
        (["results_dir=a,b"], "results_dir=a,b sweeps results_dir. Allowed: one folder"),
        (["task=glob(*copy)"], "task=glob(*copy) is a pattern. Allowed: names"),
        (["results_dir=taken", "seed=0,1"], "taken is a file, not a folder"),
        (["+experiment=reference/ntn"], "is not a choice. Allowed: ablations, "),
        (["+experiment=reference/ntn"], "Did you mean 'reference/ntm'?"),
        (["experiment=reference/ntm"], "Allowed: one, or a folder of them, as in +"),
        (
            ["+experiment=reference/ntm,reference/lstm"],
            "Allowed: one, or a folder of them, as in +",
        ),
        (["+experiment=referense"], "Did you mean 'reference'?"),
        (["+experiment=reference", "seed=-1"], "+experiment=reference/controls: seed=-1 is out of"),
        (["experimet=reference/ntm"], "Did you mean '+experiment'?"),
        (["+experiment=reference/ntm", "train.sequences=0"], "train.sequences=0 is out of range"),
        (["+experiment=reference/ntm", "seed=-1"], "seed=-1 is out of range"),
    ],
)
def test_wrong_sweep_is_refused_before_it_starts(
    ntmbench: Command, tmp_path: Path, arguments: list[str], wrong: str
) -> None:
    (tmp_path / "taken").write_text("precious")
    ended = ntmbench("-m", *arguments)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert wrong in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
    assert (tmp_path / "taken").read_text() == "precious"


def test_cells_that_did_not_start_need_no_plain_seed(tmp_path: Path) -> None:
    cells = read_cells(tmp_path, [["seed='1'"], ["seed=2"], ["seed=${train.batch_size}"]])
    assert cells["seed"].fillna(-1).tolist() == [1, 2, -1]


def test_a_note_that_is_none_is_told_with_its_file(tmp_path: Path) -> None:
    for name in ("0", "notes"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cell.json").write_text("{}")
    (cell,) = read_cells(tmp_path, [["task=copy"]]).to_dict("records")
    assert (cell["state"], cell["overrides"], cell["task"]) == ("unreadable", "task=copy", "copy")
    assert str(tmp_path / "0" / "cell.json") in cell["reason"]


def test_sweep_without_a_cell_has_failed(tmp_path: Path) -> None:
    assert conclude(tmp_path, Console()) == 1


def test_killed_cell_counts_as_interrupted(tmp_path: Path) -> None:
    write_cell(tmp_path / "0", 0, ["seed=0"], None, "running")
    cells = read_cells(tmp_path, [["seed=0"], ["task=recall", "seed=1"]])
    assert list(cells["state"]) == ["interrupted", "not started"]
    assert cells["task"][1] == "recall"
    assert cells["seed"][1] == 1


@pytest.mark.slow
def test_cells_are_expected_as_hydra_numbers_them(ntmbench: Command, tmp_path: Path) -> None:
    ended = ntmbench(
        "-m", "task=copy", "model=lstm", "seed=range(0,2)", "train.momentum=0.5,0.8", *CELL
    )
    assert ended.code == 0
    cells = table_of(tmp_path)
    assert list(cells["state"]) == ["finished"] * 4
    assert list(cells["cell"]) == [0, 1, 2, 3]
    *_, table = ended.out.partition("Sweep")
    assert "overrides" in table  # those that differ beside task, model and seed
    assert table.count("=0.8") == 2
    assert "hidden_size" not in table
    again = ntmbench(
        "-m", "task=copy", "model=lstm", "seed=range(0,2)", "train.momentum=0.5,0.8", *CELL
    )
    lines = [line for line in again.out.splitlines() if "already done" in line]
    assert len(lines) == 4
    assert "length" not in again.out.partition("Sweep")[0]  # they have no tables
    assert len(list((tmp_path / "results" / "sweeps").iterdir())) == 2
