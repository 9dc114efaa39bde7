"""What the conformance kit finds of answers that leak, and of tests that training gave away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from ntmbench.registry import make_task
from ntmbench.testing.repetition import check_overlap, measure_overlap
from ntmbench.testing.shortcuts import check_shortcuts, measure_shortcuts
from tests.leaking import Leaking
from tests.recited import Recited


@pytest.mark.parametrize("leak", ["place", "current", "first", "last", "bag", "linear"])
def test_a_leak_is_found(leak: str) -> None:
    found = f"the shortcut '{leak}' saves 100.0% of chance's errors"
    with pytest.raises(AssertionError, match=found):
        check_shortcuts(Leaking(leak))


def test_a_leak_in_one_sequence_of_twenty_is_found() -> None:
    found = r"the shortcut 'bag' saves [3-8]\.\d% of chance's errors, and the task declares 0.0%"
    with pytest.raises(AssertionError, match=found):
        check_shortcuts(Leaking("rare"))


def test_a_task_without_a_leak_passes() -> None:
    check_shortcuts(Leaking())


def test_shortcuts_are_judged_by_all_answers_alike() -> None:
    """Of 101 answers the last one, the end marker, is told by its place; the others are coins."""
    task = make_task("repeat_copy")
    saved, error = measure_shortcuts(task)["first"]
    assert saved == pytest.approx(task.shortcuts.first, abs=0.02 + 3 * error)


@dataclass(frozen=True)
class Short(Recited):
    """Numbers of few digits; ``entropy`` is the bits that each is said to have."""

    entropy: float = np.inf
    name = "short"

    def draw(self, words, batch_size, length, *, test):  # type: ignore[no-untyped-def]
        batch = super().draw(words, batch_size, length, test=test)
        batch.inputs[:] = np.floor(16 * batch.inputs) / 16
        return batch

    def collision_entropy(self, length: int) -> float:
        return self.entropy * length


def test_test_sequences_known_from_training_are_found() -> None:
    """Of 16^3 sequences of three numbers 4,096 random ones hold 1 - 1 / e."""
    assert measure_overlap(Short(), 3) == pytest.approx(1 - np.exp(-1), abs=0.07)
    assert measure_overlap(Short(), 6) == 0
    found = "6.*% of the test sequences of length 3 are among 4096 training sequences .* is 0.0%"
    with pytest.raises(AssertionError, match=found):
        check_overlap(Short())
    with pytest.raises(AssertionError, match=r"is 11\.8%"):
        check_overlap(Short(entropy=5.0))
    check_overlap(Short(entropy=4.0))


def test_lengths_beyond_training_overlap_with_nothing() -> None:
    check_overlap(Short(min_length=6))
