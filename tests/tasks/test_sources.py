"""What answers are made of, by hand, and edits that the task could draw too."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ntmbench.data.symbols import one_hot, symbols_of
from ntmbench.data.votes import saved_by_votes
from ntmbench.errors import SettingError
from ntmbench.registry import make_task
from ntmbench.tasks.order.moved import share_moved
from ntmbench.testing.sources import check_meaning_of_sources

Steps = list[list[int]]


def steps_of(of: NDArray[np.bool_] | None) -> Steps:
    """The steps that each answer of the only sequence is made of."""
    assert of is not None
    return [np.flatnonzero(answer).tolist() for answer in of[:, 0] if answer.any()]


def symbols(shown: list[int], width: int) -> Any:
    return one_hot(np.array(shown)[:, np.newaxis], width)


# --- Sources, by hand. ---


def test_recall_compares_items_until_one_is_found() -> None:
    """Items 0 1 1 0 and the query 1: the first 1 is followed by 1, and what comes later is idle."""
    task = make_task("recall", bits=1, item_length=1)
    rows = ["010", "000", "010", "100", "010", "100", "010", "000", "001", "100", "001", "000"]
    inputs = np.array([[[float(digit) for digit in row]] for row in rows], np.float32)
    assert steps_of(task.sources(inputs)) == [[1, 3, 5, 9]]
    assert steps_of(task.shown_at(inputs)) == [[5]]


def test_later_keys_are_sources_of_the_latest_value() -> None:
    """``a 0 b 1 a 1 b 0`` and the queries a and b."""
    task = make_task("latest_value", keys=2, values=2)
    inputs = symbols([0, 2, 1, 3, 0, 3, 1, 2, 0, 1], 4)
    assert steps_of(task.sources(inputs)) == [[4, 5, 6, 8], [6, 7, 9]]
    assert steps_of(task.shown_at(inputs)) == [[4, 5, 8], [6, 7, 9]]


def test_joint_keys_need_both_symbols() -> None:
    """``a b 1 b a 0`` and the queries ``b a`` and ``a b``."""
    task = make_task("joint_keys", symbols=2, values=2, max_length=2)
    inputs = symbols([0, 1, 3, 1, 0, 2, 1, 0, 0, 1], 4)
    assert steps_of(task.sources(inputs)) == [[3, 4, 5, 6, 7], [0, 1, 2, 8, 9]]


def test_counting_depends_on_symbols_and_not_on_silence() -> None:
    task = make_task("counting")
    inputs = symbols([-1, -1, -1, *[0] * 3, *[1] * 3, *[2] * 3, 3, -1], 4)
    assert steps_of(task.sources(inputs)) == [list(range(3, 12))]


@pytest.mark.parametrize("name", ["sorting", "priority_sort", "bucket_sort", "kth_smallest"])
def test_what_is_put_in_order_depends_on_everything_shown(name: str) -> None:
    batch = make_task(name).test_set(20, 2)
    shown = batch.answer_start if name == "kth_smallest" else batch.answer_start - 1
    sources = make_task(name).sources(batch.inputs)
    assert sources is not None
    assert sources[batch.answer_start :, :, :shown].all()
    assert not sources[:, :, shown:].any()


@pytest.mark.parametrize(("values", "count"), [(2, 3), (3, 3), (4, 2), (3, 1)])
def test_share_of_answers_that_a_number_moves(values: int, count: int) -> None:
    """All sequences, all of whose numbers become the smallest and the largest."""
    moved = []
    for numbers in product(range(values), repeat=count):
        for place in range(count):
            changed = np.zeros(count, bool)
            for other in (0, values - 1):
                edited = [*numbers[:place], other, *numbers[place + 1 :]]
                changed |= np.sort(edited) != np.sort(numbers)
            moved.append(changed.mean())
    assert share_moved(count, values) == pytest.approx(np.mean(moved))


# --- Edits that the task could draw. ---


def edits_of(name: str, **chosen: Any) -> tuple[Any, Any]:
    """A task, and the edits ``[T, E, in]`` of some sequences of its longest training length."""
    task: Any = make_task(name, **chosen)
    inputs = task.test_set(task.max_length, 6).inputs
    edits = task.edits(inputs)
    return task, np.moveaxis(edits, 0, 1).reshape(len(inputs), -1, inputs.shape[2])


@pytest.mark.parametrize(("name", "parts"), [("key_value", 1), ("joint_keys", 2)])
def test_edited_keys_are_distinct_and_all_of_them_are_asked_for(name: str, parts: int) -> None:
    task, edits = edits_of(name)
    shown = symbols_of(edits)
    pairs = (parts + 1) * task.max_length
    for sequence in shown.T.tolist():
        keys = [tuple(sequence[at : at + parts]) for at in range(0, pairs, parts + 1)]
        queries = [tuple(sequence[at : at + parts]) for at in range(pairs, len(sequence), parts)]
        assert len(set(keys)) == len(keys)
        assert sorted(keys) == sorted(queries)


def test_every_key_is_still_written_after_an_edit() -> None:
    _, edits = edits_of("latest_value", keys=3, min_length=3, max_length=4)
    for sequence in symbols_of(edits).T.tolist():
        assert set(sequence[:8:2]) == {0, 1, 2}
        assert sorted(sequence[8:]) == [0, 1, 2]


def test_an_edited_query_is_still_one_of_the_items_but_the_last() -> None:
    task, edits = edits_of("recall", bits=2, item_length=1)
    items, queries = edits[1 : 2 * task.max_length - 1 : 2], edits[-3]
    assert (items[:, :, :2] == queries[:, :2]).all(axis=2).any(axis=0).all()


def test_edited_halves_are_distinct_on_either_side() -> None:
    _, edits = edits_of("both_ways", bits=2, max_length=3)
    for side in (edits[:3, :, :2], edits[:3, :, 2:4]):
        assert all(len({*map(tuple, halves.tolist())}) == 3 for halves in side.swapaxes(0, 1))


def test_edited_counts_are_alike_or_off_by_an_even_number() -> None:
    _, edits = edits_of("counting", max_length=5)
    for sequence in symbols_of(edits).T.tolist():
        a, b, c = (sequence.count(symbol) for symbol in range(3))
        assert (a + b + c) % 3 == 0
        assert sequence == [-1] * (15 - a - b - c) + [0] * a + [1] * b + [2] * c + [3, -1]
        off = sorted(count - (a + b + c) // 3 for count in (a, b, c))
        assert off in ([0, 0, 0], [-2, 0, 2], [-4, 0, 4])


def test_edited_priorities_are_among_those_drawn() -> None:
    task, edits = edits_of("priority_sort")
    levels = (edits[: task.max_length, :, task.bits].astype(np.float64) + 1) * 2**23 - 0.5
    assert np.array_equal(levels, levels.round())
    assert (levels >= 0).all()
    assert (levels < 2**24).all()


# --- Other settings than the defaults. ---


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("both_ways", {"max_length": 1}),
        ("both_ways", {"bits": 1, "max_length": 2}),
        ("brackets", {"kinds": 1}),
        ("brackets", {"kinds": 4}),
        ("brackets", {"max_depth": 1}),
        ("joint_keys", {"max_length": 1}),
        ("joint_keys", {"symbols": 2, "values": 2}),
        ("key_value", {"max_length": 1}),
        ("key_value", {"values": 2, "max_length": 2}),
        ("kth_smallest", {"bits": 1, "max_length": 2}),
        ("latest_value", {"keys": 1, "min_length": 1}),
        ("latest_value", {"max_length": 4}),
        ("pointer_chase", {"hops": 3, "max_length": 4}),
        ("pointer_chase", {"hops": 7, "min_length": 8, "max_length": 12}),
        ("recall", {"max_length": 2}),
        ("repeat_copy", {"max_repeats": 1, "max_length": 1}),
        ("sorting", {"bits": 1}),
        ("stack", {"max_length": 1}),
    ],
)
def test_sources_matter_as_declared_for_the_settings(name: str, chosen: dict[str, int]) -> None:
    check_meaning_of_sources(make_task(name, **chosen))


def test_an_odd_number_by_which_counts_are_off_is_refused() -> None:
    with pytest.raises(SettingError) as refusal:
        make_task("counting", off=3)
    line = "task.off=3 is odd. Allowed: even numbers from 2 to 100000, such as 2."
    assert str(refusal.value) == line


def test_values_vote_alike_in_all_look_ups() -> None:
    tasks: list[Any] = [make_task(name) for name in ("key_value", "joint_keys", "latest_value")]
    assert [task.shortcuts.linear for task in tasks] == [saved_by_votes(4, 8)] * 3
    assert saved_by_votes(4, 8) == pytest.approx(0.328, abs=5e-4)
