"""Scoring a model: in chunks, in evaluation mode, with enough memory, and restored after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from torch import Tensor, nn

from ntmbench.evaluation import grid
from ntmbench.evaluation.answering import enough_memory
from ntmbench.evaluation.grid import evaluate, score_batch
from ntmbench.model import SequenceModel
from ntmbench.registry import make_model
from ntmbench.task import Task
from ntmbench.training.loop import train
from tests.tiny import TASK, lstm, settings


class Spy(SequenceModel):
    """Notes whether it was shown targets, in training mode and otherwise."""

    def __init__(self, task: Task = TASK) -> None:
        super().__init__()
        self.linear = nn.Linear(task.input_width, task.output_width)
        self.shown: list[tuple[bool, bool]] = []

    def answer(self, inputs: Tensor, answer_start: int, targets: Tensor | None = None) -> Tensor:
        self.shown.append((self.training, targets is not None))
        logits: Tensor = self.linear(inputs)
        return logits


def test_targets_are_shown_in_training_alone() -> None:
    spy = Spy()
    train(spy, TASK, settings(), device="cpu")
    assert set(spy.shown) == {(True, True), (False, False)}
    assert spy.shown.count((True, True)) == 10
    assert spy.training
    spy.shown.clear()
    evaluate(spy, TASK, sequences=8)
    assert set(spy.shown) == {(False, False)}


@contextmanager
def chunks(monkeypatch: pytest.MonkeyPatch, sequences: int, steps: int) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setattr(grid, "CHUNK_SEQUENCES", sequences)
        patched.setattr(grid, "CHUNK_STEPS", steps)
        yield


@pytest.mark.parametrize("name", ["ntm", "lstm", "seq2seq"])
def test_chunks_do_not_change_scores(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    model = make_model(name, TASK.input_width, TASK.output_width)
    batch = TASK.test_set(5, 50)
    with chunks(monkeypatch, 64, 10**6):
        whole = score_batch(model, TASK, batch)
    assert whole.sequences == 50
    for sequences, steps in ((7, 10**6), (1, 10**6), (64, 3 * 11), (64, 1)):
        with chunks(monkeypatch, sequences, steps):
            parts = score_batch(model, TASK, batch)
        assert (parts.sequences, parts.scored) == (50, whole.scored)
        assert parts.errors == pytest.approx(whole.errors, rel=1e-12)
        assert parts.exact_match == pytest.approx(whole.exact_match, rel=1e-12)
        assert parts.loss_bits == pytest.approx(whole.loss_bits, rel=1e-5)


def test_chunks_are_no_larger_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[tuple[int, int]] = []

    class Measured(Spy):
        def answer(
            self, inputs: Tensor, answer_start: int, targets: Tensor | None = None
        ) -> Tensor:
            sizes.append((inputs.shape[0], inputs.shape[1]))
            return super().answer(inputs, answer_start, targets)

    with chunks(monkeypatch, 16, 110):
        evaluate(Measured(), TASK, lengths=[1, 5, 100], sequences=20)
    assert sizes == [(3, 16), (3, 4), (11, 10), (11, 10), *[(201, 1)] * 20]
    sizes.clear()

    class Large(Measured):
        @contextmanager
        def room_for(self, items: int) -> Iterator[int]:
            yield grid.CHUNK_SLOTS // 2

    score_batch(Large(), TASK, TASK.test_set(1, 5))
    assert sizes == [(3, 2), (3, 2), (3, 1)]


@pytest.mark.parametrize("was_training", [True, False])
def test_evaluation_restores_the_mode(was_training: bool) -> None:
    model = lstm().train(was_training)
    evaluate(model, TASK, sequences=4)
    assert model.training == was_training
    assert all(weight.grad is None for weight in model.parameters())


def test_evaluation_table() -> None:
    table = evaluate(lstm(), TASK, lengths=[5, 2], sequences=70)
    assert list(table["length"]) == [5, 2]
    assert list(table["sequences"]) == [70, 70]
    assert list(table["chance_errors"]) == [5, 2]
    assert table["memory_slots"].isna().all()
    row = score_batch(lstm(), TASK, TASK.test_set(2, 70))
    assert (table["errors"][1], table["loss_bits"][1]) == (row.errors, row.loss_bits)
    assert list(evaluate(lstm(), TASK, sequences=4)["length"]) == list(TASK.test_lengths)


def test_plain_module_is_evaluated_too() -> None:
    table = evaluate(nn.Linear(TASK.input_width, TASK.output_width), TASK, sequences=4)
    assert table["loss_bits"].gt(0).all()


@pytest.mark.parametrize(
    ("length", "slots"), [(1, 8), (7, 8), (8, 16), (15, 16), (16, 32), (100, 128)]
)
def test_memory_is_enlarged_where_the_length_outgrows_it(length: int, slots: int) -> None:
    """A slot for each vector and one to rest on, rounded up to a power of two."""
    model: Any = make_model("ntm", TASK.input_width, TASK.output_width, memory_slots=8)
    with enough_memory(model, TASK.demand(length)) as enlarged:
        assert (enlarged, model.memory_slots) == (slots, slots)
    assert model.memory_slots == 8
    table = evaluate(model, TASK, lengths=[length], sequences=2)
    assert list(table["memory_slots"]) == [slots]


def test_memory_is_restored_after_a_failure() -> None:
    model: Any = make_model("ntm", TASK.input_width, TASK.output_width, memory_slots=8)

    def fail() -> None:
        with enough_memory(model, 100):
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        fail()
    assert model.memory_slots == 8


def test_odd_memory_that_is_large_enough_stays() -> None:
    model = make_model("ntm", TASK.input_width, TASK.output_width, memory_slots=21)
    with enough_memory(model, 20) as slots:
        assert slots == 21


@pytest.mark.parametrize("build", [lstm, Spy, lambda: nn.Linear(3, 2)])
def test_model_without_memory_has_no_slots(build: Callable[[], nn.Module]) -> None:
    with enough_memory(build(), 100) as slots:
        assert slots is None
