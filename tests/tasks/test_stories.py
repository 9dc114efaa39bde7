"""Stories: questions by hand, how often each is asked and answered, and refusals."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from ntmbench.errors import SettingError
from ntmbench.registry import make_task
from tests.solvers import one_hot

TASK = make_task("stories")
PLACES, THINGS, PERSONS = TASK.input_names[:6], TASK.input_names[6:9], TASK.input_names[9:13]
ANSWERS = {
    "where person": PLACES,
    "where thing": PLACES,
    "where was": PLACES,
    "who has": PERSONS,
    "who gave": PERSONS,
    "is there": ("yes", "no"),
    "how many": ("none", "one", "two", "three"),
}
K, M, N = PLACES[:3]
X, Y, Z = THINGS
A, B, C, D = PERSONS

STORY = f"""
{A} took {X} . {A} went-to {K} . {B} went-to {M} . {C} took {Y} . {C} took {Z} .
{A} went-to {N} . {C} gave {Y} {B} {B} gave {Y} {A} {A} dropped {X} . {A} went-to {M} .
"""


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (f"where-is {A} ?", M),
        (f"where-is {X} ?", N),
        (f"where-was {X} ?", K),
        (f"who-has {Y} ?", A),
        (f"who-has {Z} ?", C),
        (f"who-gave {Y} ?", B),
        (f"is {A} {N}", "no"),
        (f"is {B} {M}", "yes"),
        (f"how-many {A} ?", "one"),
        (f"how-many {B} ?", "none"),
        (f"how-many {C} ?", "one"),
        (f"how-many {D} ?", "none"),
        (f"where-is {Y} ?", M),  # brought by the move after the gift
    ],
)
def test_questions_by_hand(question: str, answer: str) -> None:
    symbols = [TASK.input_names.index(word) for word in (STORY + question).split()]
    rows = [*one_hot(symbols, TASK.input_width), [0.0] * TASK.input_width]
    solved = TASK.oracle(np.array(rows, np.float32)[:, np.newaxis])[-1, 0]
    assert TASK.output_names[solved.argmax()] == answer
    assert solved.sum() == 1


def test_all_kinds_of_questions_are_as_likely_in_training_and_in_tests() -> None:
    words = TASK.input_names
    for batch in (TASK.train_batch(0, 0, 4096), TASK.test_set(12, 4096)):
        *_, asked, about, _, _ = batch.inputs
        counted = Counter(
            (words[one], words[other] in PERSONS)
            for one, other in zip(asked.argmax(axis=1), about.argmax(axis=1), strict=True)
        )
        assert len(counted) == 7
        assert max(abs(count / 4096 - 1 / 7) for count in counted.values()) < 0.03


@pytest.mark.parametrize(("name", "answers"), ANSWERS.items())
def test_the_answers_of_each_kind_are_as_likely(name: str, answers: tuple[str, ...]) -> None:
    variation = TASK.variations[name]
    for length in (4, variation.length):
        batch = variation.task.test_set(length, 4096)
        counts = batch.targets[-1].sum(axis=0)
        told = {TASK.output_names[place]: counts[place] for place in np.flatnonzero(counts)}
        assert set(told) == set(answers)
        expected = batch.size / len(answers)
        assert max(abs(count - expected) for count in told.values()) < 5 * np.sqrt(expected)
        assert variation.task.chance(length).errors == pytest.approx(1 - 1 / len(answers))


def test_variations_are_single_kinds_and_have_none_themselves() -> None:
    assert list(TASK.variations) == list(ANSWERS)
    assert not make_task("stories", question="who_has").variations


def test_gifts_and_drops_are_told_of_in_every_kind_of_story() -> None:
    for variation in TASK.variations.values():
        told = variation.task.test_set(12, 512).inputs.sum(axis=(0, 1))
        share = {word: told[TASK.input_names.index(word)] / 512 / 12 for word in ("gave", "took")}
        assert share["gave"] > 0.06
        assert share["took"] > 0.15
        assert told[TASK.input_names.index("dropped")] > 50


def test_the_place_of_a_no_was_told() -> None:
    batch = TASK.variations["is there"].task.test_set(12, 512)
    no = batch.targets[-1, :, TASK.output_names.index("no")] == 1
    told = batch.inputs[:-4].sum(axis=0)[:, :6] > 0
    asked = batch.inputs[-2, :, :6].argmax(axis=1)
    assert told[no, asked[no]].all()


@pytest.mark.parametrize(
    ("chosen", "line"),
    [
        ({"persons": 1}, "task.persons=1 is out of range. Allowed: from 2 to 1024."),
        ({"things": 4}, "task.min_length=3 is out of range. Allowed: from 4 to 12."),
        ({"places": 2}, "task.places=2 is out of range. Allowed: from 3 to 1024."),
    ],
)
def test_settings_out_of_range_are_refused(chosen: dict[str, int], line: str) -> None:
    with pytest.raises(SettingError) as refusal:
        make_task("stories", **chosen)
    assert str(refusal.value) == line


def test_an_unknown_question_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(SettingError, match=r"Allowed: all, .* Did you mean 'who_gave'\?"):
        make_task("stories", question="who_give")
