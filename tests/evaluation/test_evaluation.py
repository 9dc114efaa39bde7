"""The tests of a trained model, and the tables that they give."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from ntmbench import evaluate
from ntmbench.answer import Bits
from ntmbench.errors import SettingError
from ntmbench.evaluation import example, grid
from ntmbench.evaluation.example import answer_example, example_of
from ntmbench.evaluation.grid import evaluate_in_detail, evaluate_variations
from ntmbench.evaluation.scores import errors, step_errors
from ntmbench.model import TensorBatch
from ntmbench.registry import make_model, make_task, task_names
from ntmbench.runs.folder import RunFolder
from ntmbench.runs.results import EVALUATION_COLUMNS, POSITION_COLUMNS, VARIATION_COLUMNS
from ntmbench.task import Task

SMALL_NTM = {"controller_size": 8, "memory_slots": 8, "word_size": 4}


class Flipping(nn.Module):
    """Answers copy as the oracle does, but with one bit of one step of the answer flipped."""

    def __init__(self, task: Task, position: int) -> None:
        super().__init__()
        self.task, self.position, self.calls = task, position, 0

    def forward(self, inputs: Tensor) -> Tensor:
        self.calls += 1
        answer = self.task.oracle(inputs.numpy())
        step = len(answer) // 2 + 1 + self.position
        answer[step, :, 0] = 1 - answer[step, :, 0]
        return torch.from_numpy(answer) * 20 - 10


def test_errors_lie_where_they_were_made() -> None:
    task = make_task("copy", bits=2, max_length=3)
    found = evaluate_in_detail(Flipping(task, 1), task, lengths=[2, 4], sequences=5)
    assert list(found.by_position.columns) == POSITION_COLUMNS
    assert found.by_position.to_dict("list") == {
        "length": [2, 2, 4, 4, 4, 4],
        "position": [0, 1, 0, 1, 2, 3],
        "sequences": [5] * 6,
        "errors": [0, 1, 0, 1, 0, 0],
    }
    assert list(found.by_length["errors"]) == [1, 1]


@pytest.mark.parametrize("name", task_names())
def test_errors_by_position_add_up_to_those_by_length(name: str) -> None:
    task = make_task(name)
    model = make_model("lstm", task.input_width, task.output_width, hidden_size=4)
    lengths = task.test_lengths[:2]
    found = evaluate_in_detail(model, task, lengths=lengths, sequences=70)
    assert list(found.by_length.columns) == EVALUATION_COLUMNS
    positions = found.by_position  # in some tasks only a part of the sequences is scored at a step
    shares = positions.assign(errors=positions["errors"] * positions["sequences"] / 70)
    sums = shares.groupby("length")["errors"].sum()
    assert list(sums) == pytest.approx(list(found.by_length["errors"]))
    for length, rows in found.by_position.groupby("length"):
        assert len(rows) == task.test_set(int(str(length)), 70).mask.any(axis=1).sum()
    pd.testing.assert_frame_equal(
        evaluate(model, task, lengths=lengths, sequences=70), found.by_length
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"sequences": 0}, "sequences=0 is out of range"),
        ({"lengths": [0]}, "lengths=0 is out of range. Allowed: from 1"),
        ({"lengths": [5, -3]}, "lengths=-3 is out of range"),
        ({"lengths": (2, 2)}, "lengths=2, 2 has a length twice"),
        ({"lengths": []}, "lengths is empty"),
    ],
)
def test_impossible_grids_are_refused(arguments: dict[str, Any], told: str) -> None:
    task = make_task("copy")
    with pytest.raises(SettingError, match=told):
        evaluate(make_model("constant", task.input_width, task.output_width), task, **arguments)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    task = make_task("copy", max_length=4)
    model = make_model("lstm", task.input_width, task.output_width, hidden_size=4)
    whole = evaluate_in_detail(model, task, lengths=[4], sequences=11)
    monkeypatch.setattr(grid, "CHUNK_SEQUENCES", 3)
    parts = evaluate_in_detail(model, task, lengths=[4], sequences=11)
    pd.testing.assert_frame_equal(parts.by_length, whole.by_length)
    pd.testing.assert_frame_equal(parts.by_position, whole.by_position)


def test_one_pass_is_enough() -> None:
    task = make_task("copy", bits=2, max_length=3)
    model = Flipping(task, 0)
    evaluate_in_detail(model, task, lengths=[2, 3], sequences=4)
    assert model.calls == 2


def test_step_errors_count_only_what_is_scored() -> None:
    """Two sequences that score different steps."""
    logits = torch.tensor([[[1.0, 1.0], [1.0, -1.0]], [[-1.0, 1.0], [1.0, 1.0]]])  # [T, B, out]
    targets = torch.zeros(2, 2, 2)
    mask = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    batch = TensorBatch(torch.zeros(2, 2, 1), targets, mask, 0)
    found = step_errors(Bits(2), logits, batch)
    assert found.errors.tolist() == [2, 1 + 2]
    assert found.sequences.tolist() == [1, 2]
    assert found.errors.sum() == errors(Bits(2), logits, batch).sum()


def test_positions_are_the_scored_steps_numbered() -> None:
    """The bits before the first whole context of an n-gram source have no position."""
    task = make_task("ngrams", context=3, min_length=9, max_length=9)
    model = make_model("memoryless", 1, 1)
    positions = evaluate_in_detail(model, task, lengths=[9], sequences=2).by_position
    assert list(positions["position"]) == [0, 1, 2, 3, 4, 5]


def test_variations_are_tested_as_tasks_of_their_own() -> None:
    task: Any = make_task("repeat_copy", bits=2, max_length=2, max_repeats=3)
    model = make_model("lstm", task.input_width, task.output_width, hidden_size=4)
    found = evaluate_variations(model, task, sequences=6)
    assert list(found.columns) == VARIATION_COLUMNS
    assert list(found["variation"]) == ["length 2, repeats 6"]
    more = evaluate(model, replace(task, test_repeats=6), lengths=[2], sequences=6)
    pd.testing.assert_frame_equal(found.drop(columns="variation"), more)


def test_most_tasks_name_no_variation() -> None:
    assert evaluate_variations(make_model("constant", 9, 8), make_task("copy")).empty


# --- The example. ---


def test_example_is_of_the_longest_training_length_that_can_be_shown() -> None:
    for name in task_names():
        task = make_task(name)
        length, batch = example_of(task)
        longest = task.length_range[1]
        readable = len(task.test_set(longest, 1).inputs) <= example.READABLE_STEPS
        assert (length == longest) is readable
        assert np.array_equal(batch.inputs, task.test_set(length, 1).inputs)
    length, batch = example_of(make_task("copy", max_length=1000))
    assert length == 125
    assert len(batch.inputs) <= example.READABLE_STEPS


def test_example_that_can_not_be_shorter() -> None:
    task = make_task("priority_sort", min_length=300, max_length=300, answers=300)
    length, batch = example_of(task)
    assert (length, len(batch.inputs)) == (300, 601)


#: What the arrays of an example tell of how it is drawn.
DRAWN = {"kind", "tolerance", "input_names", "output_names"}


def test_example_of_a_model_with_a_memory(tmp_path: Path) -> None:
    task = make_task("copy", bits=3, max_length=20)
    model: Any = make_model("ntm", 4, 3, **SMALL_NTM, read_heads=2)
    RunFolder(tmp_path).write_arrays(tmp_path / "example.npz", answer_example(model, task))
    assert (model.training, model.memory_slots) == (True, 8)
    with np.load(tmp_path / "example.npz") as arrays:
        assert {name: arrays[name].shape for name in arrays} == {
            "length": (),
            "inputs": (41, 4),
            "targets": (41, 3),
            "mask": (41,),
            "probabilities": (41, 3),
            "kind": (),
            "tolerance": (),
            "input_names": (4,),
            "output_names": (0,),
            "panels": (),
            "panel_0": (41, 1, 4),
            "panel_1": (41, 2, 4),
            "panel_2": (41, 1, 32),  # enlarged, as in the test of this length
            "panel_3": (41, 2, 32),
        }
        drawn = json.loads(str(arrays["panels"]))
        titles = ["adds", "reads", "write weightings", "read weightings"]
        assert [panel["title"] for panel in drawn] == titles
        assert (drawn[2]["group"], drawn[2]["rows"]) == ("write head", "slot")
        assert str(arrays["kind"]) == "bits"
        assert arrays["input_names"].tolist() == ["0", "1", "2", "delimiter"]
        numbers = set(arrays) - {"length", "panels", *DRAWN}
        assert {arrays[name].dtype for name in numbers} == {np.dtype("float16")}
        batch = task.test_set(20, 1)
        assert np.array_equal(arrays["inputs"], batch.inputs[:, 0])
        assert np.array_equal(arrays["mask"], batch.mask[:, 0])
        assert arrays["length"] == 20
        assert arrays["panel_2"].sum(axis=2) == pytest.approx(1, abs=0.02)


def test_example_holds_what_the_model_answered() -> None:
    task = make_task("copy", bits=2, max_length=3)
    arrays = answer_example(Flipping(task, 0), task)
    plain = {"length", "inputs", "targets", "mask", "probabilities", *DRAWN}
    assert arrays.keys() == plain
    wrong = (arrays["probabilities"] > 0.5) != (arrays["targets"] > 0.5)
    assert np.argwhere(wrong).tolist() == [[4, 0]]


def test_example_is_the_same_file_each_time(tmp_path: Path) -> None:
    task = make_task("copy", max_length=3)
    model = make_model("ntm", 9, 8, **SMALL_NTM)
    for name in ("first", "second"):
        RunFolder(tmp_path).write_arrays(tmp_path / name, answer_example(model, task))
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
