"""The conformance kit: whether a task, a model or an engine keeps the suite's contracts.

For authors of a task, a model or an engine::

    from ntmbench.testing import check_engine, check_model, check_task

    def test_my_task() -> None:
        check_task(make_task("my_task"))

    def test_my_model() -> None:
        check_model("my_model")

Each check raises AssertionError with what it found, or returns nothing. The checks draw their own
data, take about a second each at small sizes, and leave PyTorch's and NumPy's random states alone.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ntmbench.data.identity import fingerprint, identity_of
from ntmbench.engine.contract import Engine
from ntmbench.errors import UserError
from ntmbench.evaluation.levels import data_levels
from ntmbench.evaluation.scores import errors
from ntmbench.model import SequenceModel, TensorBatch
from ntmbench.registry import make_model, model_entry
from ntmbench.task import TEST_BLOCK, VALIDATION_BLOCK, Batch, Task

#: The best constant answer is computed from so many sequences. A stated chance may differ from it
#: by this share.
CHANCE_SEQUENCES = 2048
CHANCE_MARGIN = 0.05

# Sizes of the inputs that models are tried on.
STEPS, BATCH, INPUTS, OUTPUTS, ANSWER_START = 7, 3, 4, 3, 4


# --- Tasks. ---


def check_task(task: Task) -> None:
    """Check a task: its settings, streams, batches, oracle, chance, lengths, sources and items.

    The data of its variations is checked in the same way.

    Raises:
        AssertionError: saying what does not hold.
    """
    with _random_states_untouched():
        _check_settings(task)
        _check_lengths(task)
        _check_streams(task)
        for batch in _batches_of(task):
            _check_data(task, batch)
        _check_chance(task)
        for variation in task.variations.values():
            assert variation.task.input_width == task.input_width, "a variation has other inputs"
            assert variation.task.answer == task.answer, "a variation has another answer"
            _check_data(variation.task, variation.task.test_set(variation.length, 4))


def _check_settings(task: Task) -> None:
    assert dataclasses.is_dataclass(task), "the task is not a dataclass"
    assert task.__dataclass_params__.frozen, "the task's dataclass is not frozen"
    assert isinstance(task.version, int), f"version={task.version!r} is not a whole number"
    assert isinstance(task.family, str), f"family={task.family!r} is not a word"
    assert (type(task).__doc__ or "").strip(), "the task has no docstring"
    fingerprint(identity_of(task))  # TypeError for a setting that is no plain value


def _check_lengths(task: Task) -> None:
    shortest, longest = task.length_range
    assert task.shortest_length <= shortest <= longest, f"length_range={task.length_range}"
    for name in ("selection_lengths", "test_lengths"):
        lengths = getattr(task, name)
        assert len(lengths) > 0, f"{name} is empty"
        assert list(lengths) == sorted(set(lengths)), f"{name}={lengths} is not ascending"
        assert lengths[0] >= task.shortest_length, f"{name}={lengths} begins below the shortest"
        for length in lengths:
            assert task.demand(length) >= 0, f"demand({length}) is negative"


def _check_streams(task: Task) -> None:
    """Data is a function of its key alone; sets of different purposes differ."""
    steps = range(3)
    forwards = [task.train_batch(0, step, 4) for step in steps]
    longest = task.length_range[1]
    task.test_set(longest, 2)
    backwards = [task.train_batch(0, step, 4) for step in reversed(steps)]
    for first, again in zip(forwards, reversed(backwards), strict=True):
        _same(first, again, "a training batch drawn twice")
    for kind, drawn_set in (("test", task.test_set), ("selection", task.selection_set)):
        for more in (8, TEST_BLOCK + 2):
            long, short = drawn_set(longest, more), drawn_set(longest, more - 1)
            _same(long[: more - 1], short, f"a longer {kind} set's beginning")
    long_blocks = list(task.validation_batches(2 * VALIDATION_BLOCK))
    blocks = list(task.validation_batches(VALIDATION_BLOCK + 2))
    assert [block.size for block in blocks] == [VALIDATION_BLOCK, 2], "validation has other sizes"
    _same(long_blocks[0], blocks[0], "longer validation data's beginning")
    _same(long_blocks[1][:2], blocks[1], "longer validation data's beginning")
    drawn = {
        "two seeds": [task.train_batch(seed, 0, 64) for seed in (0, 1)],
        "two steps": [task.train_batch(0, step, 64) for step in (0, 1)],
        "two batch sizes": [task.train_batch(0, 0, size)[:64] for size in (64, 65)],
        "selection and test": [task.selection_set(longest, 64), task.test_set(longest, 64)],
    }
    for name, (one, other) in drawn.items():
        alike = one.inputs.shape == other.inputs.shape and np.array_equal(one.inputs, other.inputs)
        assert not alike, f"{name} have the same data"


def _batches_of(task: Task) -> Iterator[Batch]:
    for step in range(3):
        yield task.train_batch(0, step, 5)
    yield from task.validation_batches(4)
    for length in {task.length_range[0], task.length_range[1], task.test_lengths[0]}:
        yield task.selection_set(length, 5)
        yield task.test_set(length, 5)


def _check_data(task: Task, batch: Batch) -> None:
    _check_batch(task, batch)
    _check_oracle(task, batch)
    _check_sources(task, batch)
    _check_items(task, batch)


def _check_batch(task: Task, batch: Batch) -> None:
    steps, size = batch.mask.shape
    assert batch.inputs.shape == (steps, size, task.input_width), f"inputs {batch.inputs.shape}"
    assert batch.targets.shape == (steps, size, task.output_width), f"targets {batch.targets.shape}"
    for name in ("inputs", "targets", "mask"):
        array = getattr(batch, name)
        assert array.dtype == np.float32, f"{name} are {array.dtype}"
        assert np.isfinite(array).all(), f"{name} hold numbers that are not finite"
    assert set(np.unique(batch.mask)) <= {0, 1}, "the mask holds other numbers than 0 and 1"
    assert batch.mask.any(axis=0).all(), "a sequence has no scored step"
    assert not batch.targets[batch.mask == 0].any(), "targets are not zero where nothing is asked"
    assert 0 <= batch.answer_start < steps, f"answer_start={batch.answer_start} of {steps} steps"
    assert not batch.mask[: batch.answer_start].any(), "a step before the answer's start is scored"
    if not task.has_input_phase:
        assert batch.answer_start == 0, "a task without an input phase has a late answer_start"
    with _as_assertion(""):
        task.answer.check_targets(batch.targets[batch.mask == 1])


def _check_oracle(task: Task, batch: Batch) -> None:
    before = batch.inputs.copy()
    solved = task.oracle(batch.inputs)
    assert np.array_equal(batch.inputs, before), "the oracle edits its inputs"
    assert solved.shape == batch.targets.shape, f"the oracle answers {solved.shape}"
    with _as_assertion("the oracle: "):
        task.answer.check_solved(solved[batch.mask == 1])
    if task.deterministic:
        tensors = TensorBatch.of(batch, torch.device("cpu"))
        wrong = errors(task.answer, task.answer.logits_of(torch.from_numpy(solved)), tensors)
        assert not wrong.any(), f"the oracle makes {int(wrong.sum())} errors"


@contextmanager
def _as_assertion(subject: str) -> Iterator[None]:
    """Raise what an answer finds wrong as an AssertionError that begins with its ``subject``."""
    try:
        yield
    except ValueError as error:
        raise AssertionError(f"{subject}{error}") from error


def _check_sources(task: Task, batch: Batch) -> None:
    sources = task.sources(batch.inputs)
    if sources is None:
        return
    _check_steps_of_answers("sources", sources, batch)


def _check_items(task: Task, batch: Batch) -> None:
    """The steps that show what is given back, and the numbers by which items are put in order."""
    shown, keys = task.shown_at(batch.inputs), task.ordered_by(batch.inputs)
    if shown is not None:
        _check_steps_of_answers("shown_at", shown, batch)
    if keys is None:
        return
    assert keys.shape == batch.mask.shape, f"ordered_by {keys.shape}"
    assert keys.dtype == np.float64, f"ordered_by is {keys.dtype}"
    known = ~np.isnan(keys)
    assert np.isfinite(keys[known]).all(), "ordered_by holds numbers that are not finite"
    assert known.any(axis=0).all(), "ordered_by has no item in a sequence"
    if task.has_input_phase:
        assert not known[batch.answer_start :].any(), "ordered_by has an item in the answer"
    if shown is None:
        return
    items = np.where(shown & known.T[np.newaxis], keys.T[np.newaxis], np.nan)  # [T, B, T]
    items = items[(batch.mask == 1)]
    with np.errstate(invalid="ignore"):
        apart = np.fmax.reduce(items, axis=1) > np.fmin.reduce(items, axis=1)
    assert not apart.any(), "shown_at has items for one answer that ordered_by tells apart"


def _check_steps_of_answers(name: str, of: NDArray[np.bool_], batch: Batch) -> None:
    """Check what says for each answer which steps it has to do with, ``[T, B, T]``."""
    steps, size = batch.mask.shape
    assert of.shape == (steps, size, steps), f"{name} {of.shape}"
    assert of.dtype == bool, f"{name} are {of.dtype}"
    made = of.any(axis=2)
    assert np.array_equal(made, batch.mask == 1), f"{name} are not those of the scored steps"
    late = np.triu(np.ones((steps, steps), bool), 1)[:, np.newaxis]
    assert not (of & late).any(), f"{name}: an answer is made of a later step"


def _check_chance(task: Task) -> None:
    length = task.length_range[1]
    batch = task.test_set(length, CHANCE_SEQUENCES)
    found, stated = task.answer.best_constant(batch.targets, batch.mask), task.chance(length)
    for name in ("errors", "loss_bits"):
        there, told = getattr(found, name), getattr(stated, name)
        assert abs(there - told) <= CHANCE_MARGIN * max(told, 1e-9), (
            f"chance({length}).{name} is {told:g}, and the best constant answer has {there:g}"
        )
    loss = data_levels(task, [batch]).optimum.loss_bits
    # Both on the same data. Where nothing is uncertain, a constant is as good.
    assert loss < found.loss_bits or found.loss_bits == 0, (
        f"the oracle has a loss of {loss:g} bits, and the best constant answer {found.loss_bits:g}"
    )


def _same(one: Batch, other: Batch, what: str) -> None:
    alike = all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("inputs", "targets", "mask")
    )
    assert alike, f"{what} is not the same"
    assert one.answer_start == other.answer_start, f"{what} has another answer_start"


# --- Models. ---


def check_model(name: str, **settings: Any) -> None:
    """Check a registered model, with settings that make it small.

    It checks the width, shapes, that sequences of a batch do not meet, causality as registered, the
    gradient of every weight against finite differences, the saved state, an enlarged memory, the
    trace, and extreme inputs. The model also runs on PyTorch's ``meta`` device, which finds tensors
    that are made on a wrong device.

    Raises:
        AssertionError: saying what does not hold.
    """
    entry = model_entry(name)
    with _random_states_untouched():
        model = make_model(name, INPUTS, OUTPUTS, **settings)
        other = make_model(name, INPUTS, OUTPUTS, **settings)
    _same_weights(model, other, "two models of one seed")
    if entry.width is not None:
        _check_width(name, entry.width, settings)
    model.eval()
    _check_logits(model)
    _check_batching(model)
    if entry.causal:
        _check_causality(model)
    _check_gradients(model)
    _check_state(model)
    _check_trace(model, causal=entry.causal)
    _check_extremes(model)
    _check_meta(model)


def _check_width(name: str, width: str, settings: Mapping[str, Any]) -> None:
    """A budget of parameters is met through the width, so that a wider model must have more."""
    narrow = getattr(model_entry(name).settings(**settings), width)
    sizes = [
        sum(weight.numel() for weight in make_model(name, INPUTS, OUTPUTS, **made).parameters())
        for made in ({**settings, width: narrow}, {**settings, width: 2 * narrow})
    ]
    assert sizes[0] < sizes[1], (
        f"{width}={2 * narrow} has {sizes[1]} parameters, and {width}={narrow} has {sizes[0]}"
    )


def _inputs(steps: int = STEPS, size: int = BATCH) -> Tensor:
    values = np.random.Generator(np.random.Philox(3)).normal(size=(steps, size, INPUTS))
    return torch.from_numpy(values).float()


def _answers(model: SequenceModel, inputs: Tensor, targets: Tensor | None = None) -> Tensor:
    return model.answer(inputs, ANSWER_START, targets)


def _check_logits(model: SequenceModel) -> None:
    inputs = _inputs()
    before = inputs.clone()
    bits = (_inputs()[:, :, :OUTPUTS] > 0).float()
    for targets in (None, bits):
        logits = _answers(model, inputs, targets)
        assert logits.shape == (STEPS, BATCH, OUTPUTS), f"logits have shape {list(logits.shape)}"
        assert logits.dtype == inputs.dtype, f"logits are {logits.dtype}"
        assert torch.isfinite(logits).all(), "logits are not finite"
    assert torch.equal(inputs, before), "the model edits its inputs"


def _check_batching(model: SequenceModel) -> None:
    inputs = _inputs()
    whole = _answers(model, inputs)
    alone = torch.cat([_answers(model, inputs[:, [i]]) for i in range(BATCH)], dim=1)
    torch.testing.assert_close(whole, alone, rtol=1e-4, atol=1e-5, msg="sequences of a batch meet")


def _check_causality(model: SequenceModel) -> None:
    inputs = _inputs()
    before = _answers(model, inputs)
    for step in range(1, STEPS):
        changed = inputs.clone()
        changed[step:] += 1
        after = _answers(model, changed)
        assert torch.equal(before[:step], after[:step]), f"a step before {step} sees it"


def _check_gradients(model: SequenceModel) -> None:
    """Every weight gets a gradient, and the slope along a line agrees with finite differences."""
    exact = copy.deepcopy(model).double()
    weights = [weight for weight in exact.parameters() if weight.requires_grad]
    assert weights, "the model has no weight that can be trained"
    inputs = _inputs().double()
    shares = torch.from_numpy(np.random.Generator(np.random.Philox(4)).normal(size=OUTPUTS))

    def loss() -> Tensor:
        return (_answers(exact, inputs) * shares).sum()

    loss().backward()  # type: ignore[no-untyped-call]
    names = [name for name, weight in exact.named_parameters() if weight.requires_grad]
    without = [name for name, weight in zip(names, weights, strict=True) if weight.grad is None]
    assert not without, f"no gradient reaches {', '.join(without)}"
    generator = np.random.Generator(np.random.Philox(5))
    line = [torch.from_numpy(generator.normal(size=tuple(w.shape))).to(w) for w in weights]
    slope = sum(
        float((weight.grad * move).sum())
        for weight, move in zip(weights, line, strict=True)
        if weight.grad is not None
    )
    step, sides = 1e-6, []
    with torch.no_grad():
        for shift in (step, -2 * step):
            for weight, move in zip(weights, line, strict=True):
                weight.add_(move, alpha=shift)
            sides.append(float(loss()))
    found = (sides[0] - sides[1]) / (2 * step)
    limit = 1e-4 * max(1.0, abs(slope))
    assert abs(found - slope) <= limit, f"slope {slope:g}, by finite steps {found:g}"


def _check_state(model: SequenceModel) -> None:
    twin = copy.deepcopy(model)
    with torch.no_grad():
        for weight in twin.parameters():
            weight.zero_()
    twin.load_state_dict(model.state_dict())
    _same_weights(model, twin, "a model and its saved state")
    for steps in (STEPS, 2 * STEPS):
        floats = model.state_floats(steps)
        assert floats is None or (isinstance(floats, int) and floats >= 0), f"state_floats={floats}"
    before = _answers(model, _inputs())
    with model.room_for(0) as slots:
        pass
    if slots is None:
        return
    with model.room_for(4 * slots) as more:
        assert more is not None, "room_for(0) knows of slots, and room_for(more) does not"
        assert more >= 4 * slots, f"room for {4 * slots} items has {more} slots"
        assert _answers(model, _inputs()).shape == before.shape
    assert torch.equal(_answers(model, _inputs()), before), "an enlarged memory is not put back"


def _check_trace(model: SequenceModel, *, causal: bool) -> None:
    inputs = _inputs()
    trace = model.trace(inputs)
    if trace is None:
        return
    expected = _answers(model, inputs)
    torch.testing.assert_close(trace.logits, expected, msg="the trace has other logits")
    assert not trace.logits.requires_grad, "the trace has gradients"
    for name, signal in trace.signals.items():
        assert signal.values.shape[:2] == (STEPS, BATCH), f"{name}: {list(signal.values.shape)}"
        assert torch.isfinite(signal.values).all(), f"{name} is not finite"
    for addressing in trace.addressing:
        weights = trace[addressing.signal]
        told = f"the weights of {addressing.signal}"
        assert (weights >= 0).all(), f"{told} are negative"
        assert (weights.sum(dim=3) <= 1 + 1e-4).all(), f"{told} add up to more than 1"
    if trace.provenance is None:
        return
    shares = trace.provenance
    assert shares.shape == (STEPS, BATCH, STEPS), f"provenance: {list(shares.shape)}"
    if causal:
        later = torch.triu(torch.ones(STEPS, STEPS, dtype=torch.bool), 1).unsqueeze(1)
        assert not shares.masked_select(later).any(), "what was read was written later"


def _check_extremes(model: SequenceModel) -> None:
    for scale in (0.0, 1e4, -1e4):
        logits = _answers(model, _inputs() * scale)
        assert not logits.isnan().any(), f"inputs times {scale:g} give logits that are not numbers"


def _check_meta(model: SequenceModel) -> None:
    """Run forward and backward without numbers, and in evaluation, where answers are fed back."""
    meta = copy.deepcopy(model).to("meta")
    inputs = torch.empty(STEPS, BATCH, INPUTS, device="meta")
    targets = torch.empty(STEPS, BATCH, OUTPUTS, device="meta")
    logits = meta.train().answer(inputs, ANSWER_START, targets)
    assert logits.device.type == "meta", f"logits lie on {logits.device}"
    logits.sum().backward()  # type: ignore[no-untyped-call]
    with torch.no_grad():
        assert meta.eval().answer(inputs, ANSWER_START).device.type == "meta"


def _same_weights(one: nn.Module, other: nn.Module, what: str) -> None:
    for (name, left), right in zip(
        one.state_dict().items(), other.state_dict().values(), strict=True
    ):
        assert torch.equal(left, right), f"{what} differ in {name}"


# --- Engines. ---


def check_engine(
    engine: Engine[Any], reference: Engine[Any], model: SequenceModel, inputs: Tensor
) -> None:
    """Check an engine against another one of the same model, on inputs ``[T, B, in]``.

    Logits, the trace's logits and the gradient of every weight must agree to the precision of the
    inputs' type, an obstacle must be one line, and the digest must be stable.

    Raises:
        AssertionError: saying what does not hold.
    """
    obstacle = engine.obstacle(model, inputs)
    assert obstacle is None, f"the {engine.name} engine cannot run {obstacle}"
    try:
        strange = engine.obstacle(model, inputs.to(torch.complex64)) or "nothing"
    except UserError as error:  # for what no engine could run
        strange = str(error)
    assert strange, "an obstacle is told without a word"
    assert "\n" not in strange, "an obstacle is not one line"
    assert engine.digest() == engine.digest() != "", "the digest is not stable"
    logits, expected = engine.run(model, inputs), reference.run(model, inputs)
    torch.testing.assert_close(logits, expected)
    with torch.no_grad():
        torch.testing.assert_close(engine.trace(model, inputs).logits, expected)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    ours = torch.autograd.grad(logits.square().sum(), weights, allow_unused=True)
    theirs = torch.autograd.grad(expected.square().sum(), weights, allow_unused=True)
    for found, right in zip(ours, theirs, strict=True):
        if right is not None:
            assert found is not None, "a gradient is missing"
            torch.testing.assert_close(found, right, rtol=1e-3, atol=1e-4)


@contextmanager
def _random_states_untouched() -> Iterator[None]:
    """Check that neither PyTorch's nor NumPy's global generator is drawn from."""
    pytorchs, numpys = torch.get_rng_state(), repr(np.random.get_state(legacy=False))
    yield
    assert torch.equal(torch.get_rng_state(), pytorchs), "PyTorch's global random state was changed"
    now = repr(np.random.get_state(legacy=False))
    assert now == numpys, "NumPy's global random state was changed"
