"""Tasks that are learned within a sequence: cases worked by hand, and refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ntmbench.errors import SettingError
from ntmbench.registry import make_task


def test_variations_of_one_shot_score_one_sight_of_the_same_sequences() -> None:
    task = make_task("one_shot", classes=2, max_length=3)
    whole = task.test_set(3, 64)
    scored = {name: found.task.test_set(3, 64) for name, found in task.variations.items()}
    assert list(scored) == ["sight 1", "sight 2", "sight 3"]
    for batch in scored.values():
        assert np.array_equal(batch.inputs, whole.inputs)
    together = np.sum([batch.mask for batch in scored.values()], axis=0)
    beyond = whole.mask.sum() - together.sum()
    assert together.max() == 1
    # The steps that no variation scores are a class's fourth sight and later ones.
    assert beyond / 64 == pytest.approx(6 - 2 * expected_up_to_three(), abs=0.5)
    for name, found in task.variations.items():
        of_sight = scored[name].mask.sum() / 64
        assert found.task.chance(3).errors == pytest.approx(of_sight / 2, abs=0.1)


def expected_up_to_three() -> float:
    """How many of a class's sights are at most the third, in six steps of two classes."""
    return sum(min(seen, 3) * math.comb(6, seen) for seen in range(7)) / 2**6


def test_a_label_that_was_not_shown_is_guessed_among_the_others() -> None:
    """The patterns 00, 01 and 00 of two classes; the labels b and a come a step later."""
    task = make_task("one_shot", bits=2, flips=0, classes=2)
    inputs = np.array([[[0, 0, 0, 0]], [[0, 1, 0, 1]], [[0, 0, 1, 0]]], np.float32)
    assert task.oracle(inputs)[:, 0].tolist() == [[0.5, 0.5], [1, 0], [0, 1]]


def test_regression_by_hand() -> None:
    """One example (1, 3) in one dimension: the weight is 3 / (1 + 0.5^2), and x is 1 or -1."""
    task = make_task("in_context_regression", dimensions=1, noise=0.5, questions=2)
    inputs = np.array([[[1, 3, 0]], [[1, 0, 1]], [[-1, 0, 1]]], np.float32)
    assert task.oracle(inputs)[1:, 0, 0].tolist() == pytest.approx([2.4, -2.4])


def test_values_of_regression_are_standard_normal() -> None:
    values = make_task("in_context_regression", dimensions=3).test_set(2, 4096).targets[2:]
    assert values.mean() == pytest.approx(0, abs=5 / math.sqrt(values.size))
    assert (values**2).mean() == pytest.approx(1, abs=0.1)
    assert (values**4).mean() == pytest.approx(3, abs=0.6)


def test_function_by_hand() -> None:
    """Yes to 111 and no to 001, by most of three bits, leave two functions that differ on 100."""
    task = make_task("in_context_function", variables=3, questions=2)
    rows = [[1, 1, 1, 1, 0], [0, 0, 1, 0, 1], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0]]
    inputs = np.array(rows, np.float32)[:, np.newaxis]
    # The wishes 111, 110, 101 and 011 say yes to 111. Of them 101 and 011 say yes to 001 too. Those
    # left, 111 and 110, both say yes to 110, and only 110 says yes to 100.
    assert task.oracle(inputs)[2:, 0, 0].tolist() == [1, 0.5]


@pytest.mark.parametrize(
    ("name", "chosen", "line"),
    [
        (
            "one_shot",
            {"bits": 12},
            "task.bits=12 is no power of two. Allowed: 2, 4, 8 and so on, such as 16.",
        ),
        ("one_shot", {"flips": 2}, "task.flips=2 is out of range. Allowed: from 0 to 1."),
        ("one_shot", {"classes": 17}, "task.classes=17 is out of range. Allowed: from 2 to 16."),
        ("one_shot", {"sight": 3}, "task.min_length=2 is out of range. Allowed: from 3 to 10."),
        (
            "in_context_function",
            {"variables": 4},
            "task.variables=4 is even. Allowed: odd numbers from 1 to 11, such as 5.",
        ),
        (
            "in_context_regression",
            {"noise": 0.0},
            "task.noise=0.0 is out of range. Allowed: from 0.01 to 10.",
        ),
    ],
)
def test_settings_out_of_range_are_refused(name: str, chosen: dict[str, int], line: str) -> None:
    with pytest.raises(SettingError) as refusal:
        make_task(name, **chosen)
    assert str(refusal.value) == line
