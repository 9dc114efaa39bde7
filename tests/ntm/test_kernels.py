"""The fused engine against the eager one: outputs, gradients, threads, training."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ntmbench.engine import threads as kernel_threads
from ntmbench.ntm.kernels.plan import make_plan
from ntmbench.ntm.model import NTM
from ntmbench.ntm.trace import AXES

INPUTS, OUTPUTS = 3, 2


def allowed(overrides: dict[str, Any]) -> dict[str, Any]:
    """The settings without what does not go together."""
    shared = overrides["shared_heads"] and overrides["write_heads"] <= overrides["read_heads"]
    key_size = min(overrides["key_size"], overrides["word_size"])
    return overrides | {"shared_heads": shared, "key_size": key_size}


SETTINGS = st.fixed_dictionaries(
    {
        "controller": st.sampled_from(["lstm", "feedforward"]),
        "controller_size": st.integers(1, 40),
        "controller_layers": st.integers(1, 3),
        "memory_slots": st.integers(2, 40),
        "word_size": st.integers(1, 10),
        "key_size": st.integers(0, 10),
        "read_heads": st.integers(1, 4),
        "write_heads": st.integers(1, 4),
        "shared_heads": st.booleans(),
        "shift_width": st.sampled_from([1, 3, 5, 9]),
        "initial_memory": st.sampled_from(["constant", "learned", "code", "random"]),
        "initial_weighting": st.sampled_from(["one_hot", "uniform", "learned"]),
        "initial_state": st.sampled_from(["zeros", "learned"]),
    }
).map(allowed)
SMALL: dict[str, Any] = {"controller_size": 5, "memory_slots": 4, "word_size": 3}
LEARNED: dict[str, Any] = {
    "initial_memory": "learned",
    "initial_weighting": "learned",
    "initial_state": "learned",
}


def pair(
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
    spread: float = 0.3,
    **overrides: Any,
) -> tuple[NTM, NTM]:
    """The same machine on both engines, with weights a little away from their start."""
    torch.manual_seed(seed)
    fused = NTM(INPUTS, OUTPUTS, **overrides, engine="fused").to(dtype)
    with torch.no_grad():
        for parameter in fused.parameters():
            parameter.add_(spread * torch.randn_like(parameter))
    eager = NTM(INPUTS, OUTPUTS, **overrides, engine="eager").to(dtype)
    eager.load_state_dict(fused.state_dict())
    return fused, eager


def draw(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(7))


def gradients(model: NTM, inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Logits, and the gradients of a random projection of them."""
    inputs = inputs.clone().requires_grad_()
    model.zero_grad()
    logits = model(inputs)
    (logits * draw(*logits.shape, dtype=logits.dtype)).sum().backward()
    found = {name: parameter.grad for name, parameter in model.named_parameters()}
    found["inputs"] = inputs.grad
    assert all(gradient is not None for gradient in found.values())
    return logits.detach(), {name: g.clone() for name, g in found.items() if g is not None}


def assert_agreement(fused: NTM, eager: NTM, inputs: Tensor, tolerance: float) -> None:
    logits, found = gradients(fused, inputs)
    expected_logits, expected = gradients(eager, inputs)
    torch.testing.assert_close(logits, expected_logits, rtol=tolerance, atol=tolerance)
    # Relative to each tensor's largest gradient, or to the largest of all if that is tiny.
    floor = 1e-3 * max(float(gradient.abs().max()) for gradient in expected.values())
    for name, gradient in expected.items():
        scale = max(float(gradient.abs().max()), floor)
        error = float((found[name] - gradient).abs().max()) / scale
        assert error <= tolerance, (name, error)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(SETTINGS, st.integers(1, 12), st.integers(1, 18), st.integers(0, 2**16))
def test_agrees_with_eager_in_float64(
    overrides: dict[str, Any], steps: int, batch: int, seed: int
) -> None:
    fused, eager = pair(seed, **overrides)
    assert_agreement(fused, eager, draw(steps, batch, INPUTS), 1e-9)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(SETTINGS, st.integers(1, 8), st.integers(1, 18), st.integers(0, 2**16))
def test_agrees_with_eager_in_float32(
    overrides: dict[str, Any], steps: int, batch: int, seed: int
) -> None:
    # A similarity of single numbers is a step at zero, where it magnifies rounding: there both
    # engines may be 1e-2 and more from the float64 gradients.
    word_size = max(2, overrides["word_size"])
    key_size = 0 if overrides["key_size"] == 1 else overrides["key_size"]
    overrides = overrides | {"word_size": word_size, "key_size": key_size}
    fused, eager = pair(seed, torch.float32, **overrides)
    assert_agreement(fused, eager, draw(steps, batch, INPUTS, dtype=torch.float32), 1e-4)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(SETTINGS, st.integers(2, 70))
def test_agrees_with_a_resized_memory(overrides: dict[str, Any], slots: int) -> None:
    fused, eager = pair(**overrides)
    fused.memory_slots = eager.memory_slots = slots
    assert_agreement(fused, eager, draw(4, 2, INPUTS), 1e-9)


@pytest.mark.parametrize(
    ("overrides", "spread"),
    [
        ({}, 0.3),
        # With ten heads a larger spread makes the recurrence chaotic, and rounding errors grow.
        ({"read_heads": 5, "write_heads": 5, "controller_layers": 2}, 0.03),
    ],
    ids=str,
)
def test_agrees_at_the_sizes_of_the_paper(overrides: dict[str, Any], spread: float) -> None:
    fused, eager = pair(0, torch.float32, spread, **overrides)
    assert_agreement(fused, eager, draw(20, 9, INPUTS, dtype=torch.float32), 1e-4)


@pytest.mark.parametrize("steps", [1, 2, 7, 50])
def test_agrees_wherever_memories_are_kept(steps: int) -> None:
    fused, eager = pair(**SMALL, **LEARNED)
    assert_agreement(fused, eager, draw(steps, 2, INPUTS), 1e-9)


@pytest.mark.parametrize("controller", ["lstm", "feedforward"])
def test_gradcheck(controller: str) -> None:
    fused, _ = pair(**SMALL, **LEARNED, controller=controller, controller_layers=2, write_heads=2)
    names, tensors = zip(*fused.named_parameters(), strict=True)

    def run(inputs: Tensor, *values: Tensor) -> Tensor:
        named = dict(zip(names, values, strict=True))
        logits: Tensor = torch.func.functional_call(fused, named, inputs)
        return logits

    inputs = draw(3, 2, INPUTS).requires_grad_()
    assert torch.autograd.gradcheck(run, (inputs, *tensors))


def test_a_second_backward_pass_gives_the_same_gradients() -> None:
    fused, _ = pair(**SMALL)
    logits = fused(draw(4, 2, INPUTS)).sum()
    parameters = list(fused.parameters())
    first = torch.autograd.grad(logits, parameters, retain_graph=True)
    second = torch.autograd.grad(logits, parameters)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_two_forward_passes_before_their_backward_passes() -> None:
    fused, _ = pair(**SMALL, **LEARNED)
    inputs = draw(4, 2, INPUTS), draw(7, 3, INPUTS)
    parameters = list(fused.parameters())
    expected = [torch.autograd.grad(fused(x).square().sum(), parameters) for x in inputs]
    losses = [fused(x).square().sum() for x in inputs]
    for loss, gradient in zip(losses, expected, strict=True):
        found = torch.autograd.grad(loss, parameters)
        assert all(torch.equal(a, b) for a, b in zip(found, gradient, strict=True))


def test_both_forward_passes_count_in_one_backward_pass() -> None:
    fused, eager = pair(**SMALL, **LEARNED)
    for model in (fused, eager):
        (model(draw(4, 2, INPUTS)).sum() * model(draw(7, 3, INPUTS)).sum()).backward()
    for found, expected in zip(fused.parameters(), eager.parameters(), strict=True):
        torch.testing.assert_close(found.grad, expected.grad, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("retain", [False, True])
@pytest.mark.parametrize("slots", [2, 33])
def test_memory_resized_between_forward_and_backward(slots: int, retain: bool) -> None:
    """A second backward pass runs the forward pass again, with the same result."""
    fused, _ = pair(**SMALL, **LEARNED)
    inputs, parameters = draw(4, 2, INPUTS), list(fused.parameters())
    expected = torch.autograd.grad(fused(inputs).square().sum(), parameters)
    loss = fused(inputs).square().sum()
    fused.memory_slots = slots
    if retain:
        torch.autograd.grad(loss, parameters, retain_graph=True)
    found = torch.autograd.grad(loss, parameters)
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("engine", ["fused", "eager"])
def test_a_copy_is_the_same_machine_and_independent(engine: str) -> None:
    model = dict(zip(("fused", "eager"), pair(**SMALL, **LEARNED), strict=True))[engine]
    inputs = draw(4, 2, INPUTS)
    logits, found = gradients(model, inputs)
    copy = deepcopy(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    model.memory_slots = 9
    assert not model(inputs).any()
    copied_logits, copied = gradients(copy, inputs)
    assert copy.memory_slots == SMALL["memory_slots"]
    assert torch.equal(copied_logits, logits)
    assert all(torch.equal(copied[name], found[name]) for name in found)


@pytest.mark.parametrize("controller", ["lstm", "feedforward"])
def test_inference_gives_the_same_bits_as_training(controller: str) -> None:
    fused, _ = pair(**SMALL, **LEARNED, controller=controller, controller_layers=2)
    inputs = draw(9, 3, INPUTS)
    with torch.no_grad():
        inferred = fused(inputs)
    assert torch.equal(inferred, fused(inputs).detach())


def test_training_after_inference_mode() -> None:
    # A size that no other test uses, so that nothing is cached for it.
    fused, _ = pair(**(SMALL | {"memory_slots": 11}))
    inputs = draw(3, 2, INPUTS)
    with torch.inference_mode():
        inferred = fused(inputs)
    logits, _ = gradients(fused, inputs)
    assert torch.equal(logits, inferred)


@pytest.mark.parametrize("overrides", [{}, {"read_heads": 2, "write_heads": 3}, LEARNED], ids=str)
def test_trace_agrees_with_eager(overrides: dict[str, Any]) -> None:
    fused, eager = pair(**SMALL, **overrides)
    found, expected = (model.trace(draw(6, 2, INPUTS)) for model in (fused, eager))
    torch.testing.assert_close(found.logits, expected.logits)
    assert found.signals.keys() == expected.signals.keys() == AXES.keys()
    for name in AXES:
        torch.testing.assert_close(found[name], expected[name], msg=name)


@pytest.mark.parametrize("engine", ["fused", "eager"])
def test_little_content_weight_survives_beside_much_weight_before(engine: str) -> None:
    """Eq. (7) with an open gate takes the content weighting, down to its least number."""
    torch.manual_seed(0)
    model = NTM(INPUTS, OUTPUTS, **SMALL, initial_memory="learned", engine=engine)
    _, _, gate, _, strength, sharpening, shift = torch.split(
        model.cell.heads.bias, model.cell.head_sizes
    )
    with torch.no_grad():
        keys = model.cell.heads.bias[: SMALL["word_size"]]
        keys += 1
        model.first_memory[:] = torch.tensor([[-1.0], [-0.9], [0.1], [1.0]])
        model.first_memory[:, 1:] += torch.tensor([[0.0, 0.0], [0.3, 0.0], [0.5, 0.0], [0.0, 0.1]])
        gate += 40
        strength += 12
        sharpening -= 40
        shift.view(2, 3)[:, 1] += 60
    inputs = torch.zeros(1, 1, INPUTS)
    found, exact = (
        m.trace(inputs.to(m.output.weight.dtype)) for m in (model, deepcopy(model).double())
    )
    assert exact["read_weightings"][0, 0, 0, 0] < 1e-9
    torch.testing.assert_close(
        found["read_weightings"].double(), exact["read_weightings"], rtol=1e-3, atol=0
    )


@pytest.mark.parametrize("where", ["inputs", "cell.heads.weight", "output.bias"])
def test_nan_is_not_hidden(where: str) -> None:
    fused, _ = pair(**SMALL)
    inputs = draw(4, 2, INPUTS)
    broken = inputs if where == "inputs" else fused.get_parameter(where).data
    broken.view(-1)[0] = float("nan")
    assert not fused(inputs).isfinite().all()


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(("steps", "batch"), [(5, 1), (5, 2), (40, 21)])
def test_threads_and_repetition_do_not_change_a_bit(steps: int, batch: int) -> None:
    fused, _ = pair(0, torch.float32, **LEARNED)
    inputs = draw(steps, batch, INPUTS, dtype=torch.float32)
    results = []
    for count in (1, 2, 1, 3):
        torch.set_num_threads(count)
        results.append(gradients(fused, inputs))
    logits, found = results[0]
    for other_logits, other in results[1:]:
        assert torch.equal(logits, other_logits)
        for name in found:
            assert torch.equal(found[name], other[name]), name


def test_a_sequence_does_not_depend_on_its_batch_by_a_bit() -> None:
    fused, _ = pair(0, torch.float32)
    inputs = draw(10, 13, INPUTS, dtype=torch.float32)
    logits = fused(inputs)
    for i in range(13):
        assert torch.equal(fused(inputs[:, i : i + 1]), logits[:, i : i + 1])


def test_inputs_of_any_layout_in_memory() -> None:
    fused, eager = pair(**SMALL)
    inputs = draw(2, INPUTS, 5).permute(2, 0, 1)
    torch.testing.assert_close(fused(inputs), eager(inputs))


def lazily_negated(tensor: Tensor) -> Tensor:
    """The same numbers, stored with the other sign under PyTorch's negative bit."""
    return torch._neg_view(-tensor)


def test_lazily_negated_inputs_and_weights() -> None:
    fused, _ = pair(**SMALL, **LEARNED)
    inputs = draw(5, 2, INPUTS)
    logits, found = gradients(fused, inputs)
    for name, parameter in fused.named_parameters():
        fused.get_parameter(name).data = lazily_negated(parameter.data)
    negated_logits, negated = gradients(fused, lazily_negated(inputs))
    assert torch.equal(negated_logits, logits)
    assert all(torch.equal(negated[name], found[name]) for name in found)


def test_lazily_negated_gradients() -> None:
    fused, _ = pair(**SMALL)
    inputs, weights = draw(5, 2, INPUTS), list(fused.parameters())
    d_logits = draw(5, 2, OUTPUTS)
    expected, found = (
        torch.autograd.grad(fused(inputs), weights, d) for d in (d_logits, lazily_negated(d_logits))
    )
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_memories_kept_for_the_backward_pass_grow_with_the_root_of_the_steps() -> None:
    def kept(slots: int, steps: int) -> int:
        configuration = NTM(INPUTS, OUTPUTS, memory_slots=slots).settings
        return make_plan(configuration, 3, 2, slots, steps, 1, torch.float32, 1, True).layout.kept

    # Signals, beside weightings and similarities, that differ between memories of two sizes.
    short, long = (
        kept(1024, steps) - kept(16, steps) - (4 * steps + 2) * (1024 - 16) for steps in (99, 399)
    )
    assert short == 10 * 20 * (1024 - 16)
    assert long == 20 * 20 * (1024 - 16)


def test_logits_may_be_changed_in_place() -> None:
    model = NTM(INPUTS, OUTPUTS, **SMALL)
    logits = model(draw(3, 2, INPUTS, dtype=torch.float32))
    logits += 1
    logits.sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_interrupt_waits_for_the_threads_at_work() -> None:
    """They write into the caller's memory."""
    begun, release, ended = threading.Event(), threading.Event(), threading.Event()
    calls: list[int] = []

    def job(worker: int, first: int, count: int) -> None:
        calls.append(first)
        if worker == 0:
            begun.wait(10)
            release.set()
            raise KeyboardInterrupt
        begun.set()
        release.wait(10)
        time.sleep(0.05)
        ended.set()

    with pytest.raises(KeyboardInterrupt):
        kernel_threads.run(job, [(0, 1), (1, 1), (2, 1)], workers=2)
    assert ended.is_set()
    assert len(calls) == 2  # pieces that nobody had begun are left


def test_a_thread_that_cannot_be_started_waits_for_those_at_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, ended = threading.Event(), threading.Event()
    calls: list[int] = []

    class FullPool(ThreadPoolExecutor):
        """Its second call is queued, but fails for want of a thread, as in CPython."""

        def submit(self, work: Any, worker: Any) -> Any:  # type: ignore[override]
            future = super().submit(work, worker)
            if worker == 2:
                begun.wait(10)
                raise RuntimeError("can't start new thread")
            return future

    def job(worker: int, first: int, count: int) -> None:
        calls.append(first)
        begun.set()
        time.sleep(0.05)
        ended.set()

    with FullPool(1) as pool:
        monkeypatch.setattr(kernel_threads, "_pool", pool)
        monkeypatch.setattr(kernel_threads, "_pool_size", 8)
        with pytest.raises(RuntimeError, match="can't start"):
            kernel_threads.run(job, [(n, 1) for n in range(9)], workers=4)
        assert ended.is_set()
    assert calls == [0]  # the queued call found nothing to do
