"""Tasks on graphs: what short looks at them are worth, and cases worked by hand."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from ntmbench.registry import make_task
from ntmbench.task import Batch
from tests.solvers import one_hot

SEQUENCES = 4096


def asked_nodes(batch: Batch, sequence: int) -> tuple[dict[int, set[int]], int, int]:
    """The nodes beside each node of a sequence of reachability, and the two asked for."""
    symbols = [row.index(1) for row in batch.inputs[:-1, sequence].tolist()]
    *told, _, start, goal = symbols
    beside: dict[int, set[int]] = {}
    for one, other in zip(told[::2], told[1::2], strict=True):
        beside.setdefault(one, set()).add(other)
        beside.setdefault(other, set()).add(one)
    return beside, start, goal


def edges_between(beside: dict[int, set[int]], start: int, goal: int) -> int | None:
    reached, steps = {start}, 0
    while goal not in reached:
        more = reached.union(*(beside[node] for node in reached))
        if more == reached:
            return None
        reached, steps = more, steps + 1
    return steps


@pytest.mark.parametrize(("nodes", "within"), [(12, {1: 0.6, 2: 0.7}), (32, {1: 0.53, 2: 0.57})])
def test_a_short_look_at_reachability_is_right_as_often_as_its_docstring_says(
    nodes: int, within: dict[int, float]
) -> None:
    batch = make_task("reachability").test_set(nodes, SEQUENCES)
    far = [edges_between(*asked_nodes(batch, sequence)) for sequence in range(SEQUENCES)]
    yes = batch.targets[-1, :, 1] == 1
    assert [edges is not None for edges in far] == yes.tolist()
    longest = nodes // 2 - 1
    counted = Counter(edges for edges in far if edges)
    assert sorted(counted) == list(range(1, longest + 1))
    expected = SEQUENCES / 2 / longest
    assert max(counted.values()) < expected + 5 * np.sqrt(expected)
    assert min(counted.values()) > expected - 5 * np.sqrt(expected)
    for edges, share in within.items():
        said = np.array([found is not None and found <= edges for found in far])
        assert (said == yes).mean() == pytest.approx(share, abs=0.02)
        assert 1 / 2 + edges / (2 * longest) == pytest.approx(share, abs=0.005)


def test_nodes_that_are_not_connected_look_like_those_that_are() -> None:
    """As many edges of either node, as many of their neighbours, at the same places."""
    batch = make_task("reachability").test_set(12, SEQUENCES)
    yes = batch.targets[-1, :, 1] == 1
    seen = []
    for sequence in range(SEQUENCES):
        beside, start, goal = asked_nodes(batch, sequence)
        told = batch.inputs[:-4, sequence].argmax(axis=1).tolist()
        ends = [len(beside[start]), len(beside[goal])]
        next_to = [sum(len(beside[near]) for near in beside[node]) for node in (start, goal)]
        seen.append([*ends, ends[0] * ends[1], *next_to, told.index(start), told.index(goal)])
    values: NDArray[np.float64] = np.array(seen, np.float64)
    apart = values[yes].mean(axis=0) - values[~yes].mean(axis=0)
    assert (abs(apart) < 5 * values.std(axis=0) * 2 / np.sqrt(SEQUENCES)).all()


def test_a_longer_way_than_any_in_training_is_found() -> None:
    """Twelve nodes in a row, which the task does not draw."""
    task = make_task("reachability", names=12)
    told = [node + end for node in range(11) for end in (0, 1)]
    inputs = np.array([one_hot([*told, 12, 0, 11], 13)], np.float32).swapaxes(0, 1)
    inputs = np.concatenate([inputs, np.zeros_like(inputs[:1])])
    assert task.oracle(inputs)[-1, 0].tolist() == [0, 1]


def test_labels_choose_among_the_shortest_ways() -> None:
    """From 0 to 5 by 1 and 3, 1 and 4, or 2 and 4; all edges but two have the label 0."""
    task = make_task("shortest_path", names=7, width=2, max_length=3)

    def way(of_1: int, of_3: int) -> list[int]:
        edges = [(0, of_1, 1), (0, 1 - of_1, 2), (1, of_3, 3), (4, 1 - of_3, 1)]
        edges += [(2, 0, 4), (3, 0, 5), (5, 0, 4)]
        told = [word for one, label, other in edges for word in (one, 7 + label, other)]
        inputs = np.array([one_hot([*told, 9, 0, 5], 10)], np.float32).swapaxes(0, 1)
        inputs = np.concatenate([inputs, np.zeros((2, 1, 10), np.float32)])
        found: list[int] = task.oracle(inputs)[-2:, 0].argmax(axis=1).tolist()
        return found

    assert way(of_1=0, of_3=0) == [1, 3]
    assert way(of_1=0, of_3=1) == [1, 4]
    assert way(of_1=1, of_3=0) == [2, 4]


@pytest.mark.parametrize(("length", "share"), [(2, 1 / 3), (4, 0.7)])
def test_several_ways_are_the_shortest_as_often_as_the_docstring_says(
    length: int, share: float
) -> None:
    task = make_task("shortest_path")
    batch = task.test_set(length, 1024)
    several = 0
    for sequence in range(batch.size):
        symbols = [row.index(1) for row in batch.inputs[:, sequence].tolist() if 1 in row]
        *told, _, start, goal = symbols
        ways = Counter({start: 1})
        for _ in range(length):
            longer: Counter[int] = Counter()
            for one, other in zip(told[::3], told[2::3], strict=True):
                longer[one] += ways[other]
                longer[other] += ways[one]
            ways = longer
        several += ways[goal] > 1
    assert several / batch.size == pytest.approx(share, abs=0.05)


def test_nodes_of_the_shortest_way_are_shown_where_the_task_says() -> None:
    task = make_task("shortest_path")
    batch = task.test_set(4, 8)
    shown = task.shown_at(batch.inputs)
    assert shown is not None
    step, sequence, at = np.nonzero(shown)
    answers = batch.targets[step, sequence]
    assert np.array_equal(batch.inputs[at, sequence, : task.output_width], answers)
    assert (shown.sum(axis=2)[batch.mask == 1] >= 2).all()  # a node between has two edges or more
