"""Sequences as sentences, each on a line."""

from __future__ import annotations

import numpy as np
import pytest

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SILENT, SymbolTask
from ntmbench.data.text import as_sentences, in_words
from ntmbench.evaluation.description import example_text
from ntmbench.registry import make_task
from ntmbench.task import Batch, FloatArray

WORDS = ("Ann", "Bob", "went-to", "hall", "yard", "where-is", ".", "|")


class Facts(SymbolTask):
    """Sentences of three words; its batches are made of words, with ``_`` for silence."""

    name = "facts"
    sentence_steps = 3

    @property
    def input_names(self) -> tuple[str, ...]:
        return WORDS

    @property
    def output_names(self) -> tuple[str, ...]:
        return WORDS

    def of(self, shown: str, asked: str) -> Batch:
        """The one sequence of these words."""
        return self.batch(_symbols(shown), _symbols(asked), answer_start=0)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        raise NotImplementedError

    def oracle(self, inputs: FloatArray) -> FloatArray:
        raise NotImplementedError

    def chance(self, length: int) -> Chance:
        raise NotImplementedError

    def demand(self, length: int) -> int:
        raise NotImplementedError


class Talk(Facts):
    """Sentences that end with a full stop or a delimiter."""

    sentence_steps = 0


def _symbols(text: str) -> Integers:
    return np.array([[WORDS.index(word) if word != "_" else SILENT] for word in text.split()])


@pytest.mark.parametrize(
    ("task", "shown", "asked", "lines"),
    [
        (  # facts, the question, and the answer
            Facts(),
            "Ann went-to hall Bob went-to yard where-is Ann _",
            "_ _ _ _ _ _ _ _ hall",
            ["Ann went-to hall", "Bob went-to yard", "where-is Ann", "[hall]"],
        ),
        (  # silence is left out
            Talk(),
            "_ _ Ann hall | _ _ _ _",
            "_ _ _ _ _ Bob yard | _",
            ["Ann hall |", "[Bob yard |]"],
        ),
        (  # text whose next word is asked for is written once
            Talk(),
            "Ann went-to went-to . Bob hall",
            "went-to went-to . Bob hall .",
            ["Ann [went-to went-to .]", "[Bob hall .]"],
        ),
        (  # another answer than the next word hides nothing
            Talk(),
            "Ann Bob hall",
            "_ yard Bob",
            ["Ann Bob [yard] hall [Bob]"],
        ),
    ],
)
def test_each_sentence_has_a_line(task: Facts, shown: str, asked: str, lines: list[str]) -> None:
    batch = task.of(shown, asked)
    assert as_sentences(task, batch).split("\n") == lines
    assert example_text(task, batch).split("\n") == lines


@pytest.mark.parametrize(
    ("name", "words"),
    [("key_value", True), ("concentration", True), ("one_shot", False), ("copy", False)],
)
def test_patterns_and_bits_are_no_words(name: str, words: bool) -> None:
    task = make_task(name)
    assert in_words(task, task.test_set(task.length_range[1], 4)) == words
