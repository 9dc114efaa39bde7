"""Tasks that disturb: cases worked by hand, and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from ntmbench.errors import SettingError
from ntmbench.registry import make_task


def test_as_many_bits_are_flipped_as_the_length_says() -> None:
    batch = make_task("noisy_recall").test_set(5, 64)
    keys, query = batch.inputs[:8:2, :, :16], batch.inputs[8, :, :16]
    distances = (keys != query).sum(axis=2)  # [pairs, B]
    assert (distances == 5).any(axis=0).all()
    assert (distances < 5).any()  # now and then another key is nearer


def test_the_first_of_two_keys_that_are_as_near_counts() -> None:
    """Keys 00 and 11 with the values 01 and 10; the query 01 is one bit off both."""
    task = make_task("noisy_recall", bits=2, pairs=2, max_length=1)
    rows = ["0010", "0100", "1110", "1000", "0101", "0000"]
    inputs = np.array([[[float(digit) for digit in row]] for row in rows], np.float32)
    assert task.oracle(inputs)[-1, 0].tolist() == [0, 1]


def test_silence_instead_of_chatter() -> None:
    task = make_task("aged_recall")
    ((name, variation),) = task.variations.items()
    assert name == "silence of 10 steps"
    assert not variation.task.test_set(10, 64).inputs[8:18].any()
    assert task.test_set(10, 64).inputs[8:18].any(axis=(1, 2)).all()


def test_memory_is_enlarged_up_to_the_slots() -> None:
    task = make_task("crowded_recall", slots=16)
    assert [task.demand(pairs) for pairs in (8, 16, 64)] == [8, 16, 16]


@pytest.mark.parametrize(
    ("name", "chosen", "line"),
    [
        ("noisy_recall", {"bits": 5}, "task.max_length=3 is out of range. Allowed: from 1 to 2."),
        ("noisy_recall", {"bits": 1}, "task.bits=1 is out of range. Allowed: from 2 to 1024."),
        ("aged_recall", {"pairs": 0}, "task.pairs=0 is out of range. Allowed: from 1 to 100000."),
        (
            "crowded_recall",
            {"slots": 0},
            "task.slots=0 is out of range. Allowed: from 1 to 100000.",
        ),
        (
            "distracted_copy",
            {"marked": 0},
            "task.marked=0 is out of range. Allowed: from 1 to 100000.",
        ),
    ],
)
def test_settings_out_of_range_are_refused(name: str, chosen: dict[str, int], line: str) -> None:
    with pytest.raises(SettingError) as refusal:
        make_task(name, **chosen)
    assert str(refusal.value) == line
