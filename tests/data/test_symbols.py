"""Symbols, choices, words, sources and edits: the ground that tasks of symbols stand on."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from ntmbench.data.choices import distinct, places
from ntmbench.data.edits import exchanged_steps, other_symbols, replaced_steps, where_possible
from ntmbench.data.layout import sources_at
from ntmbench.data.randomness import RandomWords, Stream
from ntmbench.data.symbols import (
    SILENT,
    one_hot,
    pad_before,
    symbols_of,
    then_answer,
    with_end,
)
from ntmbench.data.text import as_words
from ntmbench.data.vocabulary import letters, made_up, numbered
from ntmbench.registry import make_task

SHOWN = np.array([[0, 2], [1, SILENT], [2, 0]])


def test_one_hot_and_back() -> None:
    channels = one_hot(SHOWN, 4)
    assert channels.dtype == np.float32
    assert channels[:, 1].tolist() == [[0, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0]]
    assert np.array_equal(symbols_of(channels), SHOWN)


def test_an_answer_follows_in_silence() -> None:
    shown, asked = then_answer(with_end(SHOWN[:1], 3), SHOWN[1:])
    assert shown.tolist() == [[0, 2], [3, 3], [-1, -1], [-1, -1]]
    assert asked.tolist() == [[-1, -1], [-1, -1], [1, -1], [2, 0]]


def test_padding_before() -> None:
    symbols, lengths = np.array([[0, 1], [2, 3], [4, 5]]), np.array([1, 3])
    assert pad_before(symbols, lengths).tolist() == [[-1, 1], [-1, 3], [0, 5]]


def test_choices_are_distinct_and_uniform() -> None:
    drawn = distinct(RandomWords(Stream.TEST), 2, 3, 6000)
    found = Counter(map(tuple, drawn.T.tolist()))
    assert set(found) == {(a, b) for a in range(3) for b in range(3) if a != b}
    assert max(found.values()) < 1.15 * min(found.values())
    rising = places(RandomWords(Stream.TEST), 3, 9, 100)
    assert (np.diff(rising, axis=0) > 0).all()
    assert rising.min() == 0
    assert rising.max() == 8


def test_words_are_distinct_and_go_on() -> None:
    assert letters(28)[25:] == ("z", "aa", "ab")
    assert numbered("x", 3) == ("x0", "x1", "x2")
    assert len(set(made_up(4900))) == 4900
    assert made_up(3) == made_up(5)[:3]
    assert all(word.startswith("ka") for word in made_up(5, start="ka"))
    with pytest.raises(ValueError, match="There are 70 words of 1 syllables, and not 71"):
        made_up(71, syllables=1)


def test_sources_of_one_or_several_steps() -> None:
    inputs = np.zeros((4, 2, 1), np.float32)
    alike = sources_at(inputs, np.array([1, 0]))
    assert np.argwhere(alike[:, 0]).tolist() == [[2, 1], [3, 0]]
    assert np.array_equal(alike[:, 0], alike[:, 1])
    several = sources_at(inputs, np.array([[[0, 2], [1, -1]]]), answered=np.array([[2, 3]]))
    assert np.argwhere(several).tolist() == [[2, 0, 0], [2, 0, 2], [3, 1, 1]]


def test_edits_change_what_they_say() -> None:
    inputs = one_hot(np.array([[0, 1, 2], [3, 3, 3]]), 4)
    replaced = replaced_steps(inputs)
    assert sorted(symbols_of(replaced)[:, 0, 0].tolist()) == [0, 0, 1, 2]
    assert (symbols_of(replaced)[:, 1] == 3).all()
    others = symbols_of(other_symbols(inputs, slice(3)))
    assert sorted(others[:, 0, 1].tolist()) == [0, 1, 1, 2]
    assert (others[:, 1] == 3).all()
    (exchanged,) = symbols_of(exchanged_steps(inputs, range(2)))
    assert exchanged.tolist() == [[3, 3, 3], [0, 1, 2]]
    undone = where_possible(
        inputs, exchanged_steps(inputs, [0, 1]), np.array([[True, False, True]])
    )
    assert symbols_of(undone)[0].tolist() == [[3, 1, 3], [0, 3, 2]]


def test_words_of_a_sequence() -> None:
    task = make_task("delay", answers=2)
    batch = task.test_set(1, 1)
    first, second, third = symbols_of(batch.inputs[:, 0, :8])
    a, b, c = (letters(8)[symbol] for symbol in (first, second, third))
    assert as_words(task, batch) == f"{a} {b} now [{a}] {c} [{b}]"
    batch.inputs[:] = 0
    assert as_words(task, batch) == f"_ [{a}] [{b}]"
