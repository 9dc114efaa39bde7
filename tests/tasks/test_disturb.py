"""Tasks that disturb: cases worked by hand, and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hydra import compose

from ntmbench.composition.composing import composing, to_run_config
from ntmbench.errors import SettingError
from ntmbench.evaluation.answering import enough_memory
from ntmbench.registry import make_model, make_task
from tests.small import SMALL


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
    assert [*task.variations] == [f"{steps} steps of silence" for steps in (5, 10, 20, 40, 80, 160)]
    for variation in task.variations.values():
        steps = variation.length
        assert not variation.task.test_set(steps, 64).inputs[8 : 8 + steps].any()
        assert task.test_set(steps, 64).inputs[8 : 8 + steps].any(axis=(1, 2)).all()
    silent = make_task("aged_recall", chatter=False, max_length=2)
    assert [*silent.variations] == [f"{steps} steps of chatter" for steps in (1, 2, 4, 8, 16, 32)]


@pytest.mark.parametrize("model", ["ntm", "dnc", "sparse_memory"])
@pytest.mark.parametrize("slots", [4, 7, 16, 20, 33])
def test_memory_is_enlarged_up_to_the_slots_and_not_beyond(model: str, slots: int) -> None:
    task = make_task("crowded_recall", slots=slots)
    for own in {2, 4, slots}:
        memory = make_model(model, 4, 3, **{**SMALL[model], "memory_slots": own})
        sizes = []
        for pairs in (1, *task.test_lengths):
            with enough_memory(memory, task.demand(pairs)) as size:
                assert size is not None
                sizes.append(size)
        assert sizes == sorted(sizes)
        assert sizes[0] == own
        assert slots / 2 - 1 <= sizes[-1] <= slots


def test_the_recipe_of_the_ntm_crowds_it() -> None:
    """All tests have the slots of training; the longest has eight pairs for each."""
    with composing():
        config = to_run_config(compose("config", overrides=["task=crowded_recall", "model=ntm"]))
    task, slots = config.task, config.model_settings.memory_slots
    memory = make_model("ntm", task.input_width, task.output_width, memory_slots=slots)
    for pairs in task.test_lengths:
        with enough_memory(memory, task.demand(pairs)) as size:
            assert size == slots
    assert task.length_range[1] < slots
    assert task.test_lengths[-1] == 8 * slots
    assert config.model_settings.row_heads == 1  # the rest of recipe/ntm.yaml


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
