"""Tasks against definitions in plain Python, and against cases worked by hand."""

from __future__ import annotations

import doctest
import importlib
import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ntmbench.data.randomness import RandomWords, Stream
from ntmbench.errors import SettingError
from ntmbench.registry import make_task, task_names
from ntmbench.task import Batch, Task
from tests.solvers import Rows, Settings, solvers

SOLVERS = solvers()

# --- Against the second solvers. -----------------------------------------------------------------


def scored(values: NDArray[np.float32], batch: Batch, sequence: int) -> Rows:
    """The rows of ``values [T, B, width]`` where a sequence's answer is scored."""
    rows: Rows = values[batch.mask[:, sequence] == 1, sequence].tolist()
    return rows


def check_solved(task: Task, batch: Batch) -> None:
    """Check the oracle, and the targets where the input fixes them, against the second solver."""
    solved = task.oracle(batch.inputs)
    assert solved.dtype == np.float32
    for sequence in range(batch.size):
        defined = SOLVERS[task.name].solve(batch.inputs[:, sequence].tolist(), task)
        assert scored(solved, batch, sequence) == np.array(defined, np.float32).tolist()
        if task.deterministic:
            assert scored(batch.targets, batch, sequence) == defined


def test_each_task_has_a_second_solver() -> None:
    assert set(SOLVERS) == set(task_names())


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("examples", [10, pytest.param(60, marks=pytest.mark.slow)])
def test_oracle_and_targets_are_as_defined_for_any_settings(name: str, examples: int) -> None:
    @settings(derandomize=True, deadline=None, max_examples=examples)
    @given(
        st.composite(SOLVERS[name].settings)(),
        st.integers(0, 2**32),
        st.integers(0, 2**32),
        st.integers(1, 5),
    )
    def check(chosen: Settings, seed: int, step: int, size: int) -> None:
        task = make_task(name, **chosen)
        check_solved(task, task.train_batch(seed, step, size))
        for length in {*task.test_lengths, *task.selection_lengths}:
            check_solved(task, task.test_set(length, size))

    check()


@pytest.mark.parametrize("name", SOLVERS)
def test_default_data_are_as_defined(name: str) -> None:
    task = make_task(name)
    check_solved(task, task.train_batch(0, 0, 16))
    check_solved(task, task.test_set(task.test_lengths[-1], 16))
    for variation in task.variations.values():
        check_solved(variation.task, variation.task.test_set(variation.length, 16))


@pytest.mark.parametrize("name", task_names())
def test_docstring_examples(name: str) -> None:
    """What a task shows is what it draws."""
    results = doctest.testmod(importlib.import_module(type(make_task(name)).__module__))
    if not results.attempted:
        pytest.skip(f"{name} shows no example")
    assert results.failed == 0


# --- Lengths. ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SOLVERS)
def test_selection_goes_beyond_training(name: str) -> None:
    @settings(derandomize=True, deadline=None, max_examples=20)
    @given(st.composite(SOLVERS[name].settings)())
    def check(chosen: Settings) -> None:
        task = make_task(name, **chosen)
        lengths, longest = task.selection_lengths, task.length_range[1]
        assert lengths[-1] > longest
        assert list(lengths) == sorted(set(lengths))
        assert lengths[0] >= longest

    check()


@pytest.mark.parametrize("name", SOLVERS)
def test_steps_at_default_sizes(name: str) -> None:
    task = make_task(name)
    for length in (*task.length_range, *task.selection_lengths, *task.test_lengths):
        assert len(task.test_set(length, 1).inputs) == SOLVERS[name].steps(length)


@pytest.mark.parametrize(
    ("name", "bits_scored"),
    [
        ("copy", 20 * 8),
        ("repeat_copy", (10 * 10 + 1) * 9),
        ("recall", 3 * 6),
        ("ngrams", 195),
        ("sorting", 20 * 8),
        ("priority_sort", 16 * 8),
    ],
)
def test_bits_scored_at_default_sizes(name: str, bits_scored: int) -> None:
    task = make_task(name)
    batch = task.test_set(task.length_range[1], 1)
    assert batch.mask.sum() * task.output_width == bits_scored


@pytest.mark.parametrize("name", ["copy", "recall", "sorting"])
def test_every_training_length_is_drawn(name: str) -> None:
    task = make_task(name)
    shortest, longest = task.length_range
    drawn = Counter(len(task.train_batch(0, step, 1).inputs) for step in range(1000))
    assert set(drawn) == {SOLVERS[name].steps(length) for length in range(shortest, longest + 1)}
    validation = {len(batch.inputs) for batch in task.validation_batches(32 * 300)}
    assert validation == set(drawn)


def test_every_length_is_drawn_with_every_number_of_repeats() -> None:
    task: Any = make_task("repeat_copy", max_length=3, min_repeats=2, max_repeats=5)
    drawn = set()
    for step in range(300):
        batch = task.train_batch(0, step, 2)
        length = batch.answer_start - 1
        drawn.add((length, int(batch.mask[:, 0].sum() - 1) / length))
    assert drawn == {(length, repeats) for length in (1, 2, 3) for repeats in (2, 3, 4, 5)}


def test_every_item_but_the_last_is_asked_for() -> None:
    batch = make_task("recall").test_set(6, 512)
    asked = []
    for sequence in range(batch.size):
        rows = batch.inputs[:, sequence].tolist()
        items = [rows[start : start + 3] for start in range(1, 24, 4)]
        asked.append(items.index(rows[25:28]))
    assert set(asked) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    ("name", "chosen", "grid"),
    [
        ("copy", {}, (10, 20, 30, 50, 120, 1000)),
        ("copy", {"max_length": 40}, (20, 40, 60, 100, 240, 1000)),
        ("copy", {"max_length": 1}, (1, 2, 6, 1000)),
        ("copy", {"min_length": 18}, (18, 20, 30, 50, 120, 1000)),
        ("copy", {"max_length": 200}, (100, 200, 300, 500, 1200)),
        ("repeat_copy", {}, (10, 20)),
        ("recall", {}, (6, 8, 10, 12, 15, 20)),
        ("recall", {"max_length": 7}, (7, 9, 11, 14, 17, 23)),
        ("ngrams", {}, (200, 400)),
        ("sorting", {}, (10, 20, 30, 40)),
        ("key_value", {}, (2, 4, 8, 16)),
        ("key_value", {"keys": 6}, (2, 4, 6)),
        ("priority_sort", {}, (20, 25, 30, 40)),
    ],
)
def test_test_lengths(name: str, chosen: Settings, grid: tuple[int, ...]) -> None:
    assert make_task(name, **chosen).test_lengths == grid


def test_variations() -> None:
    task = make_task("repeat_copy", bits=3, max_length=4, max_repeats=5)
    ((name, variation),) = task.variations.items()
    assert name == "length 4, repeats 10"
    assert variation.length == 4
    batch = variation.task.test_set(variation.length, 2)
    assert batch.mask.sum(axis=0).tolist() == [4 * 10 + 1] * 2
    assert variation.task.input_width == task.input_width
    assert variation.task.chance(4).errors == 3 * 40 / 2 + 1
    assert not make_task("repeat_copy", max_repeats=100_000).variations
    assert not make_task("copy").variations


# --- Cases worked by hand. -----------------------------------------------------------------------


class FixedWords(RandomWords):
    """Random words whose integers are given."""

    def __init__(self, integers: list[int]) -> None:
        super().__init__(Stream.TEST)
        self._integers = integers

    def integers(self, low: int, high: int, *shape: int) -> NDArray[np.int64]:
        assert all(low <= integer <= high for integer in self._integers)
        return np.array(self._integers).reshape(shape)


def test_priorities_stay_inside_their_open_interval_and_are_exact() -> None:
    task = make_task("priority_sort", min_length=2, max_length=2, answers=1)
    batch = task.draw(FixedWords([0, 2**24 - 1]), 1, 2, test=False)
    assert batch.inputs[:2, 0, 8].tolist() == [-1 + 2.0**-24, 1 - 2.0**-24]


def test_equal_priorities_keep_their_order() -> None:
    task = make_task("priority_sort", bits=3, min_length=6, max_length=6, answers=6)
    batch = task.draw(FixedWords([5, 9, 5, 9, 9, 5]), 1, 6, test=False)
    vectors = batch.inputs[:6, 0, :3]
    assert len(np.unique(vectors, axis=0)) > 3
    ordered = vectors[[1, 3, 4, 0, 2, 5]]
    assert np.array_equal(batch.targets[7:, 0], ordered)
    assert np.array_equal(task.oracle(batch.inputs)[7:, 0], ordered)


@pytest.mark.parametrize("name", ["sorting", "priority_sort"])
def test_whole_rows_are_sorted_and_not_columns(name: str) -> None:
    task = make_task(name)
    batch = task.test_set(20, 64)
    for sequence in range(batch.size):
        shown = Counter(map(tuple, batch.inputs[:20, sequence, :8].tolist()))
        answered = Counter(map(tuple, scored(batch.targets, batch, sequence)))
        assert answered <= shown
    columns = np.sort(batch.inputs[:20, :, :8], axis=0)[:16]
    assert (columns != batch.targets[21:37]).mean() > 0.2


@pytest.mark.parametrize("name", ["copy", "repeat_copy", "recall", "sorting", "priority_sort"])
def test_what_is_given_back_was_shown_where_the_task_says(name: str) -> None:
    task: Any = make_task(name)
    batch = task.selection_set(task.length_range[1], 8)
    step, sequence, at = np.nonzero(task.shown_at(batch.inputs))
    answers = batch.targets[step, sequence, : task.bits]
    shown = batch.inputs[at, sequence, : task.bits]
    ended = at >= task.length_range[1] if name == "repeat_copy" else at < 0  # the end marker
    assert ended.sum() == (8 if name == "repeat_copy" else 0)
    assert np.array_equal(answers[~ended], shown[~ended])


def test_values_were_shown_where_the_task_says() -> None:
    task: Any = make_task("key_value")
    batch = task.selection_set(4, 8)
    step, sequence, at = np.nonzero(task.shown_at(batch.inputs))
    assert len(step) == 4 * 8
    values = batch.inputs[at, sequence, task.keys :]
    assert np.array_equal(batch.targets[step, sequence], values)


def test_equal_numbers_are_shown_at_all_their_steps() -> None:
    task = make_task("sorting", bits=2, max_length=3)
    inputs = np.zeros((7, 1, 3), np.float32)
    inputs[:3, 0, :2] = [[1, 0], [0, 1], [1, 0]]  # 2 1 2
    inputs[3, 0, 2] = 1
    shown, keys = task.shown_at(inputs), task.ordered_by(inputs)
    assert shown is not None
    assert keys is not None
    assert [np.flatnonzero(row).tolist() for row in shown[4:, 0]] == [[1], [0, 2], [0, 2]]
    assert keys[:3, 0].tolist() == [2, 1, 2]
    assert np.isnan(keys[3:]).all()
    sources = task.sources(inputs)
    assert sources is not None
    assert sources[4:, 0, :3].all()  # each answer depends on all numbers


def test_equal_priorities_are_shown_in_their_order() -> None:
    task = make_task("priority_sort", bits=1, min_length=3, max_length=3, answers=2)
    inputs = np.zeros((6, 1, 3), np.float32)
    inputs[:3, 0, 1] = [0.5, -0.5, 0.5]
    inputs[3, 0, 2] = 1
    shown = task.shown_at(inputs)
    assert shown is not None
    assert [np.flatnonzero(row).tolist() for row in shown[4:, 0]] == [[0], [2]]


def test_recall_answers_what_followed_the_first_of_equal_items() -> None:
    """Items 1 0 1 and the query 1: the answer is 0, though the last item is 1 too."""
    task = make_task("recall", bits=1, item_length=1)
    rows = ["010", "100", "010", "000", "010", "100", "001", "100", "001", "000"]
    inputs = np.array([[[float(digit) for digit in row]] for row in rows], np.float32)
    assert task.oracle(inputs)[-1, 0].tolist() == [0]


def test_ngrams_oracle_by_hand() -> None:
    """Bits 0 1 0 1 1 0 with a context of one bit."""
    task = make_task("ngrams", context=1)
    inputs = np.array([0, 1, 0, 1, 1, 0], np.float32).reshape(6, 1, 1)
    estimates = task.oracle(inputs)[:, 0, 0].tolist()
    assert estimates == [0.5, 0.5, 0.75, 0.25, 0.5, np.float32(2.5 / 3)]


def test_ngrams_asks_for_the_next_bit() -> None:
    batch = make_task("ngrams", context=3).test_set(200, 4)
    assert np.array_equal(batch.targets[2:-1], batch.inputs[3:])
    assert batch.mask.sum(axis=0).tolist() == [197] * 4


def test_ngrams_tables_follow_the_arcsine_law() -> None:
    """The oracle assumes Beta(1/2, 1/2): only then are its probabilities the true frequencies."""
    task = make_task("ngrams")
    batch = task.test_set(200, 1024)
    asked = batch.mask == 1
    estimates, targets = task.oracle(batch.inputs)[asked], batch.targets[asked]
    values, times = np.unique(estimates, return_counts=True)
    common = values[times > 2000]
    assert len(common) >= 15
    for estimate in common.tolist():
        came_true = targets[estimates == np.float32(estimate)]
        error = math.sqrt(estimate * (1 - estimate) / len(came_true))
        assert came_true.mean() == pytest.approx(estimate, abs=5 * error)


def test_repeats_of_test_data() -> None:
    def steps(task: Task) -> int:
        return int(task.test_set(2, 1).mask.sum())

    assert steps(make_task("repeat_copy")) == 2 * 10 + 1
    assert steps(make_task("repeat_copy", test_repeats=20)) == 2 * 20 + 1
    assert steps(make_task("repeat_copy", min_repeats=3, max_repeats=3)) == 2 * 3 + 1


def test_repeat_count_has_mean_0_and_variance_1_in_training() -> None:
    task: Any = make_task("repeat_copy", max_length=1)
    counts = [task.train_batch(0, step, 1).inputs[1, 0, 9] for step in range(4000)]
    assert np.mean(counts) == pytest.approx(0, abs=5 / np.sqrt(4000))
    assert np.var(counts) == pytest.approx(1, abs=0.06)


# --- Refusals. -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "chosen", "line"),
    [
        ("copy", {"bits": 0}, "task.bits=0 is out of range. Allowed: from 1 to 1024."),
        (
            "copy",
            {"max_length": 0},
            "task.max_length=0 is out of range. Allowed: from 1 to 100000.",
        ),
        ("copy", {"min_length": 21}, "task.min_length=21 is out of range. Allowed: from 1 to 20."),
        (
            "repeat_copy",
            {"min_repeats": 11},
            "task.min_repeats=11 is out of range. Allowed: from 1 to 10.",
        ),
        (
            "repeat_copy",
            {"test_repeats": -1},
            "task.test_repeats=-1 is out of range. Allowed: from 0 to 100000.",
        ),
        ("recall", {"min_length": 1}, "task.min_length=1 is out of range. Allowed: from 2 to 6."),
        (
            "recall",
            {"item_length": 0},
            "task.item_length=0 is out of range. Allowed: from 1 to 100000.",
        ),
        ("ngrams", {"context": 13}, "task.context=13 is out of range. Allowed: from 1 to 12."),
        ("ngrams", {"min_length": 5}, "task.min_length=5 is out of range. Allowed: from 6 to 200."),
        (
            "ngrams",
            {"max_length": 100},
            "task.min_length=200 is out of range. Allowed: from 6 to 100.",
        ),
        ("sorting", {"bits": 65}, "task.bits=65 is out of range. Allowed: from 1 to 64."),
        (
            "priority_sort",
            {"answers": 21},
            "task.answers=21 is out of range. Allowed: from 1 to 20.",
        ),
    ],
)
def test_settings_out_of_range_are_refused(name: str, chosen: Settings, line: str) -> None:
    with pytest.raises(SettingError) as refusal:
        make_task(name, **chosen)
    assert str(refusal.value) == line


@pytest.mark.parametrize(
    ("name", "shortest"),
    [
        ("copy", 1),
        ("repeat_copy", 1),
        ("recall", 2),
        ("ngrams", 6),
        ("sorting", 1),
        ("priority_sort", 16),
    ],
)
def test_lengths_without_an_answer_are_refused(name: str, shortest: int) -> None:
    task = make_task(name)
    assert task.shortest_length == shortest
    task.test_set(shortest, 1)
    with pytest.raises(SettingError, match=f"Allowed: from {shortest} to 100000"):
        task.test_set(shortest - 1, 1)
