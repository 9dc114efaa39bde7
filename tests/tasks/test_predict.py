"""Tasks of prediction: the figures of their docstrings, and what variations vary."""

from __future__ import annotations

import numpy as np
import pytest

from ntmbench.data.symbols import symbols_of
from ntmbench.evaluation.levels import length_levels
from ntmbench.registry import make_task
from ntmbench.tasks.predict.text import next_words


@pytest.mark.parametrize(
    ("name", "errors", "bits"),
    [("grammar", 25.1, 85.6), ("random_automata", 34.8, 84.2), ("ngrams", None, 128.1)],
)
def test_the_optimum_is_as_the_docstring_says(name: str, errors: float | None, bits: float) -> None:
    task = make_task(name)
    told = type(task).__doc__ or ""
    found = length_levels(task, task.length_range[1], 4096).optimum
    assert f"{bits}" in told
    assert found.loss_bits == pytest.approx(bits, rel=0.01)
    if errors is not None:
        assert f"{errors} errors" in " ".join(told.split())
        assert found.errors == pytest.approx(errors, rel=0.01)


def test_who_knows_automaton_and_state_errs_as_the_docstring_says() -> None:
    """Two of three symbols may come at each of 64 steps: one is wrong, and there is one bit."""
    task = make_task("random_automata")
    batch = task.test_set(8, 64)
    assert "would make 32, with 64 bits" in " ".join((type(task).__doc__ or "").split())
    assert batch.mask.sum(axis=0).tolist() == [64] * 64


def test_the_full_stop_is_the_likeliest_word() -> None:
    task = make_task("grammar")
    batch = task.test_set(40, 512)
    counts = batch.targets.sum(axis=(0, 1))
    assert task.output_names[counts.argmax()] == "."
    wrong = 39 * (1 - counts.max() / counts.sum())
    assert task.chance(40).errors == pytest.approx(wrong, rel=0.02)


def test_variations_of_the_grammar_are_the_other_depths() -> None:
    task = make_task("grammar")
    assert [*task.variations] == ["depth 0", "depth 1", "depth 3"]
    who = [
        variation.task.test_set(40, 512).inputs[:, :, task.input_names.index("lo")].mean()
        for variation in task.variations.values()
    ]
    assert who[0] == 0
    assert who[1] < who[2]


def test_all_words_are_as_likely_after_a_text_that_does_not_occur() -> None:
    deeper = make_task("grammar").variations["depth 3"]
    batch = deeper.task.test_set(deeper.length, 64)
    likely = next_words(symbols_of(batch.inputs), depth=0)
    assert likely.sum(axis=-1) == pytest.approx(1)
    lost = (likely == likely[..., :1]).all(axis=-1)
    assert (np.diff(lost, axis=0) >= 0).all()  # once lost, it stays so
    assert 0 < lost.mean() < 1


def test_variations_of_periodic_go_on_for_longer() -> None:
    task = make_task("periodic", repeats=2, max_length=4)
    assert [*task.variations] == ["4 repeats", "8 repeats"]
    for (name, variation), repeats in zip(task.variations.items(), (4, 8), strict=True):
        batch = variation.task.test_set(variation.length, 8)
        assert len(batch.inputs) == 4 + 1 + repeats * 4, name
        hidden = batch.inputs[:, :, task.input_names.index("?")].sum(axis=0)
        assert np.array_equal(hidden, [repeats * 2] * 8)
    assert not make_task("periodic", repeats=100_000).variations


@pytest.mark.parametrize("name", ["grammar", "random_automata", "ngrams"])
def test_no_test_length_is_below_those_of_training(name: str) -> None:
    task = make_task(name)
    lengths = task.lengths
    assert lengths is not None
    assert lengths.test == task.test_lengths
