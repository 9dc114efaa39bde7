"""Translation's split for systematic generalisation: training never shows what it tests.

Short sentences and few commands come again, as often as their tasks say.
"""

from __future__ import annotations

import math

import pytest

from ntmbench.data.text import words_of
from ntmbench.registry import make_task
from ntmbench.task import Batch, Task
from ntmbench.testing.repetition import TRAINING_SEQUENCES, measure_overlap
from ntmbench.testing.sources import check_meaning_of_sources


def pairs(task: Task, batch: Batch) -> tuple[set[tuple[str, str]], set[str]]:
    """The pairs of a verb or an adjective and the noun that it goes with, and all words."""
    nouns, verbs, adjectives = 8, 4, 4
    names = task.input_names
    before = set(names[nouns : nouns + verbs + adjectives])
    found, said = set(), set()
    for sequence in range(batch.size):
        given, _ = words_of(task, batch, sequence)
        said |= set(given)
        beside: list[str] = []
        for word in given:
            if word in before:
                beside.append(word)
            elif word in names[:nouns]:
                found |= {(other, word) for other in beside}
                beside = []
    return found, said


def test_new_combinations_are_of_known_words_and_never_trained_on() -> None:
    task = make_task("translation")
    trained, known_words = set[tuple[str, str]](), set[str]()
    for step in range(100):
        more, words = pairs(task, task.train_batch(0, step, 16))
        trained |= more
        known_words |= words
    variation = task.variations["new combinations"]
    tested, words = pairs(variation.task, variation.task.test_set(variation.length, 256))
    assert words <= known_words
    assert not tested & trained
    assert (len(trained), len(tested)) == (8 * 3 * 2, 8 * 2)
    assert not variation.task.variations


@pytest.mark.parametrize("combinations", ["known", "new"])
def test_all_words_but_who_and_the_delimiter_change_their_translation(combinations: str) -> None:
    task = make_task("translation", combinations=combinations)
    assert task.sources_that_matter == pytest.approx(1 - 3 / 21)
    check_meaning_of_sources(task)


@pytest.mark.parametrize(
    ("name", "length", "alike"),
    [
        ("translation", 1, (8 * 2 * 3) ** 2 * 3),
        ("translation", 2, (8 * 2 * 3) ** 3 * 3**2),
        ("commands", 1, 4 * 5 * 3),
        ("commands", 2, (4 * 5 * 3) ** 2 * 2),
    ],
)
def test_two_sequences_are_alike_once_in_so_many(name: str, length: int, alike: int) -> None:
    """Two phrases have the same adjective, or both have none, once in three times."""
    task = make_task(name)
    assert task.collision_entropy(length) == pytest.approx(math.log2(alike))
    likely = 1 - math.exp(-TRAINING_SEQUENCES / alike)
    assert measure_overlap(task, length) == pytest.approx(likely, abs=0.08)
