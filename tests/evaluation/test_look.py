"""A look into a model: errors against what is asked, and where the heads of a memory were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from ntmbench.errors import SettingError
from ntmbench.evaluation.look.answers import answers_table
from ntmbench.evaluation.look.bins import binned_errors
from ntmbench.evaluation.look.heads import explained, heads_table
from ntmbench.evaluation.look.looking import lengths_of_look, look_into
from ntmbench.evaluation.look.places import places_table
from ntmbench.model import SequenceModel
from ntmbench.registry import make_model, make_task
from ntmbench.runs.results import HEAD_COLUMNS, LOOK_COLUMNS
from ntmbench.task import Batch, Task
from ntmbench.trace import Addressing, Signal, Trace

SORTING = make_task("sorting", bits=3, max_length=4)
NTM: dict[str, Any] = {"controller_size": 6, "memory_slots": 8, "engine": "eager"}


def asking(numbers: list[list[int]]) -> Batch:
    """A batch of sorting that shows these numbers of three bits, a list for each sequence."""
    length, size = len(numbers[0]), len(numbers)
    inputs = np.zeros((2 * length + 1, size, 4), np.float32)
    places = np.array([4, 2, 1])
    inputs[:length, :, :3] = (np.array(numbers).T[:, :, np.newaxis] & places) > 0
    inputs[length, :, 3] = 1
    mask = np.zeros(inputs.shape[:2], np.float32)
    mask[length + 1 :] = 1
    targets = SORTING.oracle(inputs) * mask[:, :, np.newaxis]
    return Batch(inputs, targets, mask, length + 1)


def test_answers_are_told_by_number_gap_and_duplicates() -> None:
    batch = asking([[6, 1, 4, 1], [7, 7, 7, 7]])
    errors = np.zeros(batch.mask.shape, np.int64)
    errors[6, 0] = 2
    answers = answers_table(SORTING, batch, errors)
    first, second = (answers[answers["sequence"] == number] for number in (0, 1))
    assert list(first["position"]) == [0, 1, 2, 3]
    assert list(first["errors"]) == [0, 2, 0, 0]
    assert list(first["key"]) == [1, 1, 4, 6]
    assert list(first["gap"]) == [3, 3, 2, 2]
    assert list(first["duplicates"]) == [1, 1, 0, 0]
    assert second["gap"].isna().all()  # there is no other number
    assert list(second["duplicates"]) == [3] * 4


def test_a_task_without_an_order_has_positions_alone() -> None:
    task = make_task("copy", bits=2, max_length=3)
    batch = task.selection_set(3, 2)
    errors = np.ones(batch.mask.shape, np.int64)
    table = binned_errors(answers_table(task, batch, errors).assign(length=3))
    assert list(table["against"]) == ["position"] * 3
    assert list(table["answers"]) == [2] * 3


def test_errors_are_binned() -> None:
    answers = pd.DataFrame(
        {
            "length": 20,
            "position": np.arange(40),
            "errors": [3, 1] + [0] * 38,
            "gap": [1.0, 0.75, 2.0, 3.0] + [4.0] * 36,
            "duplicates": [0, 1, 2, 3, 7] + [0] * 35,
        }
    )
    table = binned_errors(answers)
    assert list(table.columns) == LOOK_COLUMNS
    bins = {
        str(against): rows[["low", "high", "answers", "errors", "wrong"]].to_numpy().tolist()
        for against, rows in table.groupby("against")
    }
    assert bins["position"][:2] == [[0, 1, 2, 2, 1], [2, 3, 2, 0, 0]]
    assert len(bins["position"]) == 20
    assert bins["gap"] == [[0.5, 1, 2, 2, 1], [1, 2, 1, 0, 0], [2, 4, 37, 0, 0]]
    assert [row[:3] for row in bins["duplicates"]] == [[0, 0, 36], [1, 1, 1], [2, 2, 1], [3, 7, 2]]


def test_what_explains_a_slot() -> None:
    random = np.random.default_rng(0)
    groups = random.integers(0, 10, 2000).astype(float)
    assert explained(np.cos(groups).astype(complex), groups) == pytest.approx(1)
    assert explained(random.normal(size=2000).astype(complex), groups) < 0.01
    half = np.cos(3 * groups) + random.normal(scale=np.std(np.cos(3 * groups)), size=2000)
    assert explained(half.astype(complex), groups) == pytest.approx(0.5, abs=0.05)
    assert np.isnan(explained(np.ones(20, complex), groups[:20]))  # there is no variance
    assert np.isnan(explained(np.arange(3).astype(complex), np.arange(3.0)))  # a group for each


def one_hot(slots: np.ndarray[Any, Any], count: int) -> Tensor:
    """Weightings ``[T, B, 1, N]`` on slots ``[T, B]``."""
    return torch.from_numpy(np.eye(count, dtype=np.float32)[slots][:, :, np.newaxis])


def heads_of(batch: Batch, written: np.ndarray[Any, Any], read: np.ndarray[Any, Any]) -> Any:
    """The use of a write and a read head that were at slots ``[T, B]``, by what they do."""
    signals = {
        "writes": Signal(one_hot(written, 16), ("head", "slot")),
        "reads": Signal(one_hot(read, 16), ("head", "slot")),
    }
    addressing = (Addressing("writes", "write"), Addressing("reads", "read"))
    trace = Trace(torch.zeros(*batch.mask.shape, 3), signals, addressing=addressing)
    table = heads_table(places_table(SORTING, batch, trace).assign(length=4))
    assert list(table.columns) == HEAD_COLUMNS
    return table.set_index(["does", "phase"]).sort_index()


@pytest.fixture
def batch() -> Batch:
    return SORTING.selection_set(4, 64)


@pytest.mark.parametrize("delay", [0, 1])
def test_heads_that_store_in_order_of_arrival(batch: Batch, delay: int) -> None:
    """An item is written ``delay`` steps after it was shown, and read where it was written."""
    steps, size = batch.mask.shape
    written = np.repeat(np.arange(steps)[:, np.newaxis], size, axis=1)
    shown = SORTING.shown_at(batch.inputs)
    assert shown is not None
    read = shown.argmax(axis=2) + delay
    heads = heads_of(batch, written, read)
    write = heads.loc[("write", "input")]
    assert write["by_position"] == pytest.approx(1)
    assert write["by_key"] < 0.2
    assert write["slots_in_use"] == pytest.approx(4)
    answered = heads.loc[("read", "answer")]
    assert answered["on_item"] == pytest.approx(1)
    assert answered["on_any_item"] < 0.6
    assert answered["delay"] == delay
    assert pd.isna(heads.loc[("read", "input"), "on_item"])


def test_an_addressing_has_heads_and_slots() -> None:
    signals = {"writes": Signal(torch.zeros(2, 1, 4), ("slot",))}
    with pytest.raises(ValueError, match=r"Allowed: heads and places\."):
        Trace(torch.zeros(2, 1, 3), signals, addressing=(Addressing("writes", "write"),))


def test_heads_that_store_by_number(batch: Batch) -> None:
    keys = SORTING.ordered_by(batch.inputs)
    assert keys is not None
    written = np.nan_to_num(keys, nan=15).astype(int)
    write = heads_of(batch, written, np.zeros_like(written)).loc[("write", "input")]
    assert write["by_key"] == pytest.approx(1)
    assert write["by_position"] < 0.2
    assert write["sharpness"] == 1


def test_a_ring_has_no_end() -> None:
    """Slots on either side of the end are near: one number in ten explains hardly anything less."""
    places = pd.DataFrame({"slot": [15.0, 0.0] * 50, "key": [1.0] * 50 + [2.0] * 50})
    places.loc[50:, "slot"] = [7.0, 8.0] * 25
    others: dict[str, Any] = {
        "length": 4,
        "does": "write",
        "head": 0,
        "phase": "input",
        "slots": 16,
    }
    others |= {"largest": 1.0, "on_item": np.nan, "on_any_item": np.nan, "delay": np.nan}
    whole = places.assign(**others, position=np.arange(100) % 3)
    ring, line = (heads_table(whole.assign(circular=circular)) for circular in (True, False))
    assert ring["by_key"].item() > 0.95
    assert line["by_key"].item() < 0.05


@pytest.mark.parametrize(
    ("name", "settings", "does"),
    [
        ("ntm", {**NTM, "word_size": 4}, ["write", "read"]),
        ("stack_rnn", {"hidden_size": 6}, ["read"]),  # it tells provenance alone
        ("lstm", {"hidden_size": 6}, []),
    ],
)
def test_any_model_is_looked_into(name: str, settings: dict[str, Any], does: list[str]) -> None:
    model = make_model(name, SORTING.input_width, SORTING.output_width, **settings)
    look = look_into(model, SORTING, sequences=12)
    assert lengths_of_look(SORTING) == [4, 5]
    assert set(look.errors["length"]) == {4, 5}
    assert list(look.heads["does"].unique()) == does
    if does:
        asked = look.heads[(look.heads["does"] == "read") & (look.heads["phase"] == "answer")]
        assert asked["on_item"].between(0, 1).all()


def test_a_look_sees_validation_data_and_no_test(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Task, length: int, sequences: int) -> Batch:
        raise AssertionError("a look at test data")

    model = make_model("lstm", SORTING.input_width, SORTING.output_width, hidden_size=6)
    monkeypatch.setattr(Task, "test_set", refuse)
    look = look_into(model, SORTING, lengths=[3], sequences=8)
    seen = answers_table(SORTING, SORTING.selection_set(3, 8), np.zeros((7, 8), np.int64))
    assert list(look.answers["key"]) == list(seen["key"])


def test_a_model_whose_numbers_are_lost_has_a_look() -> None:
    model = make_model("ntm", SORTING.input_width, SORTING.output_width, **NTM)
    with torch.no_grad():
        for weight in model.parameters():
            weight.fill_(float("nan"))
    look = look_into(model, SORTING, lengths=[4], sequences=4)
    assert (look.errors["wrong"] == 1).all()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"lengths": [0]}, "length=0 is out of range. Allowed: from 1"),
        ({"sequences": 0}, "sequences=0 is out of range. Allowed: from 1"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(asked: dict[str, Any], told: str) -> None:
    model = SequenceModel()
    with pytest.raises(SettingError, match=told):
        look_into(model, SORTING, **asked)
