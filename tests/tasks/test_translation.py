"""Translation's split for systematic generalisation: training never shows what it tests."""

from __future__ import annotations

from ntmbench.data.text import words_of
from ntmbench.registry import make_task
from ntmbench.task import Batch, Task


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
