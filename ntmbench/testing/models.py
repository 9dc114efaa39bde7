"""The conformance kit for models."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ntmbench.data.randomness import RandomWords, Stream
from ntmbench.evaluation.answering import answer
from ntmbench.model import SequenceModel, TensorBatch
from ntmbench.registry import make_model, make_task, model_entry
from ntmbench.testing.random_states import random_states_untouched

# Sizes of the inputs that models are tried on.
STEPS, BATCH, INPUTS, OUTPUTS, ANSWER_START = 7, 3, 4, 3, 4
#: Sequences longer by this factor are tried too.
LONGER = 10
#: Tasks whose answers are of different kinds: bits, symbols, and numbers.
TASKS = ("copy", "cycle_navigation", "adding")
#: The deviation of the noise that is added to the weights.
NOISE = 0.25


def check_model(name: str, **settings: Any) -> None:
    """Check a registered model, with settings that make it small.

    It checks the width, shapes, that sequences of a batch do not meet, causality as registered,
    that earlier inputs change the last answer (or do not, if ``state_floats`` is 0), the gradient
    of every weight against finite differences, the saved state, an enlarged memory, the trace, long
    sequences, extreme inputs, and tasks that ask for bits, symbols and numbers. The model also runs
    on PyTorch's ``meta`` device, which finds tensors that are made on a wrong device, and on a GPU,
    where there is one.

    All weights are moved by small noise before, because a map that starts at 0 hides what comes
    before it.

    Raises:
        AssertionError: saying what does not hold.
    """
    entry = model_entry(name)
    with random_states_untouched():
        model = make_model(name, INPUTS, OUTPUTS, **settings)
        other = make_model(name, INPUTS, OUTPUTS, **settings)
    _same_weights(model, other, "two models of one seed")
    if entry.width is not None:
        _check_width(name, entry.width, settings)
    model.eval()
    _move_weights(model)
    _check_logits(model)
    _check_batching(model)
    if entry.causal:
        _check_causality(model)
    _check_memory(model)
    _check_gradients(model)
    _check_state(model)
    _check_trace(model, causal=entry.causal)
    _check_long_sequences(model)
    _check_extremes(model)
    for task in TASKS:
        _check_on_task(name, settings, task)
    _check_meta(model)
    if torch.cuda.is_available():
        _check_gpu(model)


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


def _move_weights(model: SequenceModel) -> None:
    generator = np.random.Generator(np.random.Philox(6))
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                noise = generator.normal(scale=NOISE, size=tuple(weight.shape))
                weight.add_(torch.from_numpy(noise).to(weight))


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


def _check_memory(model: SequenceModel) -> None:
    """The last answer depends on earlier inputs, unless the model says that it carries nothing."""
    inputs = _inputs()
    changed = inputs.clone()
    changed[:-1] += 1
    forgets = torch.equal(_answers(model, inputs)[-1], _answers(model, changed)[-1])
    if model.state_floats(STEPS) == 0:
        assert forgets, "state_floats is 0, and earlier inputs change the last answer"
    else:
        assert not forgets, "earlier inputs do not change the last answer"


def _check_gradients(model: SequenceModel) -> None:
    """Every weight has a gradient, and the slope along a line agrees with finite differences."""
    exact = copy.deepcopy(model).double()
    weights = {name: weight for name, weight in exact.named_parameters() if weight.requires_grad}
    assert weights, "the model has no weight that can be trained"
    inputs = _inputs().double()
    shares = torch.from_numpy(np.random.Generator(np.random.Philox(4)).normal(size=OUTPUTS))

    def loss() -> Tensor:
        return (_answers(exact, inputs) * shares).sum()

    loss().backward()  # type: ignore[no-untyped-call]
    gradients = {name: weight.grad for name, weight in weights.items() if weight.grad is not None}
    without = [name for name in weights if name not in gradients]
    assert not without, f"no gradient reaches {', '.join(without)}"
    zero = [name for name, gradient in gradients.items() if not gradient.any()]
    assert not zero, f"the gradient is 0 for {', '.join(zero)}"
    generator = np.random.Generator(np.random.Philox(5))
    with torch.no_grad():
        for name, weight in weights.items():
            move = torch.from_numpy(generator.normal(size=tuple(weight.shape))).to(weight)
            slope = float((gradients[name] * move).sum())
            kept, step, sides = weight.clone(), 1e-6, []
            for shift in (step, -step):
                weight.copy_(kept + shift * move)
                sides.append(float(loss()))
            weight.copy_(kept)
            found = (sides[0] - sides[1]) / (2 * step)
            limit = 1e-4 * max(1e-2, abs(slope))
            assert abs(found - slope) <= limit, (
                f"{name}: slope {slope:g}, by finite steps {found:g}"
            )


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
        trained = twin.train().state_floats(steps)
        assert floats == trained, (
            f"state_floats is {floats} outside training and {trained} in training"
        )
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
    trace = model.trace_answer(inputs, ANSWER_START)
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


def _check_long_sequences(model: SequenceModel) -> None:
    """Positions far beyond the others are taken."""
    inputs = _inputs(LONGER * STEPS)
    try:
        logits = model.answer(inputs, LONGER * ANSWER_START)
    except Exception as error:
        raise AssertionError(f"{len(inputs)} steps are refused: {error!r}") from error
    assert logits.shape == (len(inputs), BATCH, OUTPUTS), f"{len(inputs)} steps: {logits.shape}"
    assert torch.isfinite(logits).all(), f"after {len(inputs)} steps logits are not finite"


def _check_extremes(model: SequenceModel) -> None:
    for scale in (0.0, 1e4, -1e4):
        logits = _answers(model, _inputs() * scale)
        assert not logits.isnan().any(), f"inputs times {scale:g} give logits that are not numbers"


def _check_on_task(name: str, settings: Mapping[str, Any], task_name: str) -> None:
    """A model that learned of its task answers by itself, and when it is shown the answer."""
    task = make_task(task_name)
    drawn = task.draw(RandomWords(Stream.VALIDATION, 2), BATCH, STEPS, test=False)
    batch = TensorBatch.of(drawn, torch.device("cpu"))
    with random_states_untouched():
        model = make_model(name, task.input_width, task.output_width, **settings)
    model.prepare(task)
    for teacher in (False, True):
        try:
            logits = answer(model, batch, teacher=teacher)
        except Exception as error:
            raise AssertionError(f"task {task_name} is refused: {error!r}") from error
        assert torch.isfinite(logits).all(), f"{task_name}: logits are not finite"


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


def _check_gpu(model: SequenceModel) -> None:
    """Answers and gradients on the GPU are those of the CPU, in float64."""
    found = [_exact_results(model, torch.device(name)) for name in ("cpu", "cuda")]
    for what, on_cpu in found[0].items():
        on_gpu = found[1][what]
        assert on_gpu.device.type == "cuda", f"{what}: on {on_gpu.device}"
        torch.testing.assert_close(
            on_gpu.cpu(), on_cpu, rtol=1e-8, atol=1e-10, msg=f"{what}: not the same on the GPU"
        )


def _exact_results(model: SequenceModel, device: torch.device) -> dict[str, Tensor]:
    """Answers, with an enlarged memory too, what the trace holds, and the gradients."""
    exact = copy.deepcopy(model).double().to(device)
    inputs = _inputs().double().to(device)
    results = {"the answer": _answers(exact, inputs)}
    bits = (inputs[:, :, :OUTPUTS] > 0).double()
    taught = _answers(exact.train(), inputs, bits)  # cuDNN has no gradient in evaluation
    taught.square().sum().backward()  # type: ignore[no-untyped-call]
    exact.eval()
    results["the answer with targets"] = taught
    for name, weight in exact.named_parameters():
        if weight.grad is not None:
            results[f"the gradient of {name}"] = weight.grad
    with torch.no_grad(), exact.room_for(2 * STEPS):
        results["the answer with more memory"] = _answers(exact, inputs)
    trace = exact.trace_answer(inputs, ANSWER_START)
    if trace is not None:
        results |= {f"the trace's {name}": signal.values for name, signal in trace.signals.items()}
    return results


def _same_weights(one: nn.Module, other: nn.Module, what: str) -> None:
    for (name, left), right in zip(
        one.state_dict().items(), other.state_dict().values(), strict=True
    ):
        assert torch.equal(left, right), f"{what} differ in {name}"
