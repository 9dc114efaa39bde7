"""Controls: what must solve a task does, and what must not beat chance does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray

from ntmbench import TrainSettings, evaluate, load_results, load_run
from ntmbench.evaluation.levels import length_levels, trained_constant, validation_levels
from ntmbench.registry import make_task, task_names
from ntmbench.report.study.controls import TOLERANCE
from ntmbench.task import Batch, Task
from tests.conftest import Ended

SEQUENCES = 2048

Floats = NDArray[np.float64]

# Some default sizes, and small ones at which the end marker and repeated items weigh more.
TASKS = [
    *(make_task(name) for name in ("copy", "key_value", "ngrams", "recall", "repeat_copy")),
    *(make_task(name) for name in ("priority_sort", "sorting")),
    make_task("repeat_copy", bits=2, max_repeats=2, max_length=2),
    make_task("repeat_copy", bits=1, max_length=1, test_repeats=1),
    make_task("recall", bits=1, item_length=1),
    make_task("sorting", bits=2, max_length=3),
    make_task("ngrams", context=1, min_length=20, max_length=20),
]


@dataclass(frozen=True)
class Scores:
    """Scores of each sequence, ``[B]``."""

    errors: Floats
    loss_bits: Floats


def score(task: Task, solved: Floats, batch: Batch) -> Scores:
    """Score what an oracle might say ``[T, B, out]``: probabilities, or numbers."""
    logits = task.answer.logits_of(torch.from_numpy(np.array(solved)))
    targets, mask = (torch.from_numpy(part).double() for part in (batch.targets, batch.mask))
    nats = (task.answer.nats(logits, targets) * mask).sum(dim=0)
    wrong = (task.answer.errors(logits, targets) * mask).sum(dim=0)
    return Scores(wrong.numpy(), nats.numpy() / np.log(2))


def oracle(task: Task, batch: Batch) -> Floats:
    return task.oracle(batch.inputs).astype(np.float64)


def best_constant(fit: Batch, batch: Batch) -> Floats:
    """The mean of each output channel, at every step: frequencies, where it is not a number."""
    share = fit.targets[fit.mask == 1].mean(axis=0, dtype=np.float64)
    return np.broadcast_to(share, batch.targets.shape)


def best_memoryless(fit: Batch, batch: Batch) -> Floats:
    """The mean of each output channel, for each value of the current input.

    Inputs take so few values where answers are scored that no feedforward network fits better.
    """
    values, index = np.unique(fit.inputs[fit.mask == 1], axis=0, return_inverse=True)
    if len(values) > 64:
        pytest.skip("too many inputs, where answers are scored, to fit a table")
    targets = fit.targets[fit.mask == 1]
    probabilities = best_constant(fit, batch).copy()
    for number, value in enumerate(values):
        share = targets[index.ravel() == number].mean(axis=0, dtype=np.float64)
        probabilities[(batch.inputs == value).all(axis=2)] = share
    return probabilities


def data(task: Task) -> tuple[Batch, Batch]:
    """A set to fit on and one to score on."""
    length = task.length_range[1]
    return task.selection_set(length, SEQUENCES), task.test_set(length, SEQUENCES)


def margin(values: Floats) -> float:
    """Five standard errors, and a little for the error of what was fitted."""
    return float(5 * values.std() / np.sqrt(len(values)) + 1e-3 * values.mean())


@pytest.mark.parametrize("task", [task for task in TASKS if task.deterministic], ids=repr)
def test_oracle_scores_full_marks_where_the_answer_is_determined(task: Task) -> None:
    _, batch = data(task)
    scores = score(task, oracle(task, batch), batch)
    assert scores.errors.max() == 0
    assert scores.loss_bits.max() < 1e-5  # certainty is kept at a finite logit


def test_ngrams_optimum_is_the_papers() -> None:
    """133 bits of 200 (Graves et al. 2014, figure 13), of which 5 are for the first coins."""
    task = make_task("ngrams")
    _, batch = data(task)
    loss = score(task, oracle(task, batch), batch).loss_bits
    assert loss.mean() + 5 == pytest.approx(133, abs=margin(loss))
    memoryless = score(task, best_memoryless(*data(task)), batch).loss_bits
    assert loss.mean() + 50 < memoryless.mean()


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_best_constant_scores_chance(task: Task) -> None:
    fit, batch = data(task)
    scores = score(task, best_constant(fit, batch), batch)
    chance = task.chance(task.length_range[1])
    assert scores.errors.mean() == pytest.approx(chance.errors, abs=margin(scores.errors))
    assert scores.loss_bits.mean() == pytest.approx(chance.loss_bits, abs=margin(scores.loss_bits))


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_memoryless_model_beats_chance_only_where_the_task_says_so(task: Task) -> None:
    fit, batch = data(task)
    scores = score(task, best_memoryless(fit, batch), batch)
    chance = task.chance(task.length_range[1])
    beats_wrong = scores.errors.mean() < chance.errors - margin(scores.errors)
    beats_loss = scores.loss_bits.mean() < chance.loss_bits - margin(scores.loss_bits)
    assert (beats_wrong or beats_loss) != task.needs_memory


def test_chance_of_repeat_copy_by_hand() -> None:
    """One bit, once: it is 1 at half of the first steps and never at the marker's."""
    chance = make_task("repeat_copy", bits=1, max_length=1, test_repeats=1).chance(1)
    quarter = 0.25 * np.log2(4) + 0.75 * np.log2(4 / 3)
    assert chance.errors == 0.5 + 1
    assert chance.loss_bits == pytest.approx(2 * quarter + 2)


# --- The same as models, through training, selection and evaluation. ---

Command = Callable[..., Ended]
TESTED = 64


def evaluation_of(ntmbench: Command, tmp_path: Path, *arguments: str) -> pd.DataFrame:
    """The test grid of a run with as much training as its model comes with."""
    ended = ntmbench(*arguments, "train.validation_sequences=64", f"evaluation.sequences={TESTED}")
    assert (ended.code, ended.err) == (0, "")
    (table,) = (tmp_path / "results" / "runs").glob("*/evaluation.csv")
    return pd.read_csv(table)


#: The first task of each kind of answer, determined or not; the slow tests run the others too.
FIRST_OF_A_KIND = {
    (type(make_task(name).answer), make_task(name).deterministic): name
    for name in reversed(task_names())
}.values()
FIRST_ONES_FAST = [
    name if name in FIRST_OF_A_KIND else pytest.param(name, marks=pytest.mark.slow)
    for name in task_names()
]


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("name", FIRST_ONES_FAST)
def test_oracle_loses_nothing_on_its_way_through_a_run(
    ntmbench: Command, tmp_path: Path, name: str
) -> None:
    found = evaluation_of(ntmbench, tmp_path, f"task={name}", "model=oracle", "train.sequences=128")
    task = make_task(name)
    for row in found.to_dict("records"):
        optimum = length_levels(task, row["length"], TESTED).optimum
        assert row["errors"] == optimum.errors
        assert row["loss_bits"] == pytest.approx(optimum.loss_bits, rel=1e-3, abs=1e-4)
        if task.deterministic:
            assert (row["errors"], row["exact_match"]) == (0, 1)


#: Tasks whose best constant is nearly the same at all lengths. The kit checks the chance of all.
ALIKE = (
    "copy", "key_value", "ngrams", "priority_sort", "recall", "repeat_copy", "reverse", "sorting",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("name", ALIKE)
def test_constant_ends_at_the_best_constants_loss(
    ntmbench: Command, tmp_path: Path, name: str
) -> None:
    """But for 2 percent: the best constant of all training lengths is not that of each length."""
    found = evaluation_of(ntmbench, tmp_path, f"task={name}", "model=constant")
    task = make_task(name)
    for row in found.to_dict("records"):
        assert row["loss_bits"] == pytest.approx(task.chance(row["length"]).loss_bits, rel=0.02)
        assert row["errors"] == pytest.approx(row["chance_errors"], rel=0.15)


@pytest.mark.usefixtures("undrawn")
def test_constant_ends_where_training_takes_it(ntmbench: Command, tmp_path: Path) -> None:
    """Which is not chance on tasks with answers of several sizes: short ones weigh as much."""
    ended = ntmbench("task=queue", "model=constant", "evaluation.sequences=8")
    assert (ended.code, ended.err) == (0, "")
    curve = load_results(tmp_path / "results").metrics.sort_values("step")["loss_bits"]
    task, validated = make_task("queue"), TrainSettings().validation_sequences
    ends = trained_constant(task, validated).loss_bits
    assert curve.iloc[-1] == pytest.approx(ends, rel=TOLERANCE)
    assert ends > 1.03 * validation_levels(task, validated).chance.loss_bits


@pytest.mark.parametrize("name", ["copy", "key_value", "delay_real"])
def test_constant_ends_at_chance_where_answers_have_one_size(name: str) -> None:
    task = make_task(name, min_length=5, max_length=5)
    chance = validation_levels(task, 3200).chance
    ends = trained_constant(task, 3200)
    assert ends.loss_bits == pytest.approx(chance.loss_bits, rel=1e-3)


@pytest.mark.usefixtures("undrawn")
def test_loaded_oracle_knows_its_task(ntmbench: Command, tmp_path: Path) -> None:
    evaluation_of(ntmbench, tmp_path, "task=copy", "model=oracle", "train.sequences=16")
    (folder,) = (tmp_path / "results" / "runs").iterdir()
    task, model = load_run(folder)
    assert list(evaluate(model, task, lengths=[5], sequences=4)["errors"]) == [0]
