"""A finished run's model, loaded and tested again."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from ntmbench import evaluate, load_run
from ntmbench.errors import UserError
from ntmbench.runs.folder import RunFolder
from tests.conftest import TINY, Ended

Command = Callable[..., Ended]
NTM = (
    "model=ntm",
    "model.controller_size=8",
    "model.memory_slots=8",
    "model.word_size=4",
    "task=repeat_copy",
    "task.max_repeats=2",
    *(argument for argument in TINY if not argument.startswith("model")),
)


@pytest.fixture(autouse=True)
def _undrawn(undrawn: None) -> None:
    pass


def only_run(tmp_path: Path) -> RunFolder:
    (path,) = (tmp_path / "results" / "runs").iterdir()
    return RunFolder(path)


@pytest.mark.parametrize("arguments", [TINY, NTM], ids=["lstm", "ntm"])
def test_scores_on_the_runs_grid_are_those_of_the_run(
    ntmbench: Command, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    assert ntmbench(*arguments).code == 0
    folder = only_run(tmp_path)
    task, model = load_run(folder.path)
    expected = pd.read_csv(folder.evaluation, dtype={"memory_slots": "Int64"})
    found = evaluate(model, task, lengths=[3, 5], sequences=16)
    pd.testing.assert_frame_equal(found, expected, check_exact=False, rtol=1e-6)


def test_the_weights_are_the_selected_ones(ntmbench: Command, tmp_path: Path) -> None:
    """They are not the last ones: the step is so large that the first weights stay the best."""
    ntmbench(*TINY, "train.learning_rate=100", "train.schedule=constant")
    folder = only_run(tmp_path)
    assert folder.read_status()["selected_step"] < 16
    packed = torch.load(folder.checkpoint, weights_only=True)["state"]
    _, model = load_run(folder.path)
    state = model.state_dict()
    assert all(
        torch.equal(state[name], packed["progress"]["selected"]["weights"][name]) for name in state
    )
    assert not all(torch.equal(state[name], packed["model"][name]) for name in state)


def test_other_lengths_and_other_settings_can_be_tested(ntmbench: Command, tmp_path: Path) -> None:
    ntmbench(*NTM)
    task, model = load_run(only_run(tmp_path).path)
    table = evaluate(model, task, lengths=[20], sequences=8)
    assert list(table["memory_slots"]) == [32]
    more: Any = replace(task, test_repeats=4)  # type: ignore[type-var]
    again = evaluate(model, more, lengths=[3], sequences=8)
    assert list(again["chance_errors"]) == [more.chance(3).errors]


def test_a_moved_run_can_be_loaded(tiny_run: RunFolder, tmp_path: Path) -> None:
    moved = tiny_run.path.rename(tmp_path / "mine")
    task, _ = load_run(str(moved))
    assert (task.name, task.length_range) == ("copy", (1, 3))


def test_a_class_that_was_edited_is_another_model(
    ntmbench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "brought.py"
    source.write_text(
        "from torch import nn\n"
        "class Brought(nn.Linear):\n"
        "    def __init__(self, inputs, outputs, bias=True):\n"
        "        super().__init__(inputs, outputs, bias)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    tiny = [argument for argument in TINY if not argument.startswith("model")]
    given = ("model.target=brought:Brought", "+model.arguments.bias=false")
    assert ntmbench("model=custom", *given, *tiny).code == 0
    folder = only_run(tmp_path)
    _, model = load_run(folder.path)
    assert sum(parameter.numel() for parameter in model.parameters()) == 9 * 8
    source.write_text(source.read_text() + "# edited\n")
    with pytest.raises(UserError, match="model=custom is not what it was"):
        load_run(folder.path)
    monkeypatch.delitem(sys.modules, "brought")


def test_what_can_not_be_loaded_is_refused_by_name(tiny_run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no run at .*nothing: it has no status\.json"):
        load_run(tmp_path / "nothing")
    folder = tiny_run
    status = folder.read_status()

    def settings(part: str, **values: Any) -> None:
        changed = json.loads(json.dumps(status))
        changed["settings"][part] |= values
        folder.write_status(changed)

    settings("task", version=99)
    with pytest.raises(UserError, match="version 99 of task copy"):
        load_run(folder.path)
    settings("model", name="juggler")
    with pytest.raises(UserError, match="model=juggler is not a choice"):
        load_run(folder.path)
    settings("model", hidden_size=9)
    with pytest.raises(UserError, match="belongs to another run"):
        load_run(folder.path)
    settings("task", bits="many")
    with pytest.raises(UserError, match="bits='many'"):
        load_run(folder.path)
    folder.write_status({**status, "settings": {}})
    with pytest.raises(UserError, match=r"settings in .*status\.json cannot be used"):
        load_run(folder.path)
    folder.write_status(status)
    folder.checkpoint.write_bytes(folder.checkpoint.read_bytes()[:-100])
    with pytest.raises(UserError, match="damaged"):
        load_run(folder.path)
    folder.checkpoint.unlink()
    with pytest.raises(UserError, match="no checkpoint"):
        load_run(folder.path)
