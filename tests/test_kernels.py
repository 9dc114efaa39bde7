"""The fused engine against the eager one: outputs, gradients, extremes, threads, training."""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core.caching import FunctionCache
from torch import Tensor

from ntmbench import compilation
from ntmbench.ntm.kernels import engine, jit
from ntmbench.ntm.kernels import threads as kernel_threads
from ntmbench.ntm.kernels.plan import make_plan
from ntmbench.ntm.model import NTM
from ntmbench.settings import SettingError

INPUTS, OUTPUTS = 3, 2

SETTINGS = st.fixed_dictionaries(
    {
        "controller": st.sampled_from(["lstm", "feedforward"]),
        "controller_size": st.integers(1, 40),
        "controller_layers": st.integers(1, 3),
        "memory_slots": st.integers(2, 40),
        "word_size": st.integers(1, 10),
        "read_heads": st.integers(1, 4),
        "write_heads": st.integers(1, 4),
        "shift_width": st.sampled_from([1, 3, 5, 9]),
        "initial_memory": st.sampled_from(["constant", "learned", "random"]),
        "initial_weighting": st.sampled_from(["one_hot", "uniform", "learned"]),
        "initial_state": st.sampled_from(["zeros", "learned"]),
    }
)
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
    """The same machine on both engines, its weights a little away from their start."""
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
    # Relative to each tensor's largest gradient, and to the largest of all where that is tiny.
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
    fused, eager = pair(seed, torch.float32, 0.03, **overrides)
    assert_agreement(fused, eager, draw(steps, batch, INPUTS, dtype=torch.float32), 1e-4)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(SETTINGS, st.integers(2, 70))
def test_agrees_with_a_resized_memory(overrides: dict[str, Any], slots: int) -> None:
    fused, eager = pair(**overrides)
    fused.memory_slots = eager.memory_slots = slots
    assert_agreement(fused, eager, draw(4, 2, INPUTS), 1e-9)


@pytest.mark.parametrize(
    "overrides",
    [{}, {"read_heads": 5, "write_heads": 5, "controller_layers": 2}],
    ids=str,
)
def test_agrees_at_the_sizes_of_the_paper(overrides: dict[str, Any]) -> None:
    # At this size a larger spread makes the recurrence chaotic, and rounding errors grow.
    fused, eager = pair(0, torch.float32, 0.03, **overrides)
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


@pytest.mark.parametrize("controller", ["lstm", "feedforward"])
def test_inference_gives_the_same_bits_as_training(controller: str) -> None:
    fused, _ = pair(**SMALL, **LEARNED, controller=controller, controller_layers=2)
    inputs = draw(9, 3, INPUTS)
    with torch.no_grad():
        inferred = fused(inputs)
    assert torch.equal(inferred, fused(inputs).detach())


def test_training_after_inference_mode() -> None:
    # A size of its own: nothing for it has been made and cached before.
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
    for name, value in vars(expected).items():
        torch.testing.assert_close(getattr(found, name), value, msg=name)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.sampled_from(["lstm", "feedforward"]),
    st.sampled_from([0.0, 1e-30, 1.0, -1e6, 1e30]),
    st.sampled_from([0.0, 1.0, 30.0, -1e4]),
    st.integers(0, 2**16),
)
def test_extremes_stay_finite(controller: str, size: float, scale: float, seed: int) -> None:
    fused, _ = pair(seed, torch.float32, **SMALL, controller=controller, write_heads=2)
    with torch.no_grad():
        fused.cell.heads.weight *= scale
    logits, found = gradients(fused, size * draw(6, 3, INPUTS, dtype=torch.float32))
    assert logits.isfinite().all()
    for name, gradient in found.items():
        assert gradient.isfinite().all(), name


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


def learning_curve(model: NTM, steps: int) -> list[float]:
    """Losses of copying up to five vectors."""
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, momentum=0.9, eps=1e-4)
    generator = np.random.default_rng(0)
    losses = []
    for _ in range(steps):
        length = int(generator.integers(1, 6))
        bits = torch.from_numpy(generator.integers(0, 2, (length, 4, 2)).astype(np.float32))
        inputs = torch.zeros(2 * length + 1, 4, 3)
        inputs[:length, :, :2] = bits
        inputs[length, :, 2] = 1
        logits = model(inputs)[length + 1 :]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, bits)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_both_engines_follow_the_same_learning_curve() -> None:
    curves = []
    for name in ("fused", "eager"):
        torch.manual_seed(0)
        model = NTM(INPUTS, OUTPUTS, controller_size=32, memory_slots=16, engine=name)
        curves.append(learning_curve(model, 100))
    fused, eager = curves
    assert sum(fused[-20:]) < sum(fused[:20])
    assert fused == pytest.approx(eager, rel=1e-3)


def test_memories_kept_for_the_backward_pass_grow_with_the_root_of_the_steps() -> None:
    def kept(slots: int, steps: int) -> int:
        configuration = NTM(INPUTS, OUTPUTS, memory_slots=slots).settings
        return make_plan(configuration, 3, 2, slots, steps, 1, torch.float32, 1, True).layout.kept

    # What differs between memories of two sizes, beside weightings and similarities.
    short, long = (
        kept(1024, steps) - kept(16, steps) - (4 * steps + 2) * (1024 - 16) for steps in (99, 399)
    )
    assert short == 10 * 20 * (1024 - 16)
    assert long == 20 * 20 * (1024 - 16)


def test_auto_says_once_why_it_is_eager(caplog: pytest.LogCaptureFixture) -> None:
    engine._say.cache_clear()
    model = NTM(INPUTS, OUTPUTS, **SMALL, controller="gru")
    with caplog.at_level(logging.INFO, logger="ntmbench"):
        for _ in range(3):
            model(draw(2, 1, INPUTS, dtype=torch.float32))
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [
        "The NTM runs on the eager engine: the fused one can not run model.controller=gru."
    ]


def test_fused_is_refused_where_it_can_not_run() -> None:
    model = NTM(INPUTS, OUTPUTS, **SMALL, controller="rnn", engine="fused")
    with pytest.raises(
        SettingError, match=r"model\.engine=fused can not run model\.controller=rnn"
    ):
        model(draw(2, 1, INPUTS, dtype=torch.float32))


@pytest.mark.parametrize("shape", [(2, 1, INPUTS + 1), (0, 1, INPUTS), (2, 0, INPUTS), (2, INPUTS)])
def test_inputs_of_a_wrong_shape(shape: tuple[int, ...]) -> None:
    model = NTM(INPUTS, OUTPUTS, **SMALL)
    with pytest.raises(ValueError, match=r"inputs \[T, B, 3\]"):
        model(torch.zeros(shape))


def test_a_change_of_any_source_changes_the_key_of_the_cache(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from ntmbench.ntm.kernels.forward import run_forward

    NTM(INPUTS, OUTPUTS, **SMALL)(draw(1, 1, INPUTS, dtype=torch.float32))
    cache: Any = run_forward
    signature = cache.signatures[0]
    codegen = cache.targetctx.codegen()
    before = cache._cache._index_key(signature, codegen)
    assert before == cache._cache._index_key(signature, codegen)
    monkeypatch.setattr(cache._cache, "_sources", "another")
    assert before != cache._cache._index_key(signature, codegen)


def test_compiled_code_is_found_again_by_a_new_process() -> None:
    script = (
        "import logging, torch\n"
        "logging.basicConfig(level=logging.INFO)\n"
        "from ntmbench.ntm.model import NTM\n"
        "NTM(3, 2)(torch.rand(2, 1, 3)).sum().backward()\n"
    )
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
    assert "Compiling" not in done.stderr


def no_folder(*arguments: object) -> None:
    raise RuntimeError("cannot cache function: no locator available")


def full_disk(*arguments: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("where", "failure", "reason"),
    [
        ("__init__", no_folder, "no locator available"),
        ("save_overload", full_disk, "No space left"),
    ],
)
def test_compiled_code_that_can_not_be_kept_runs_all_the_same(
    where: str,
    failure: Callable[..., None],
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def double(value: int) -> int:
        return 2 * value

    compilation._warn.cache_clear()
    monkeypatch.setattr(FunctionCache, where, failure)
    with caplog.at_level(logging.WARNING, logger="ntmbench"):
        assert jit.kernel(double)(21) == 42
    assert "each process compiles anew" in caplog.text
    assert reason in caplog.text


def test_logits_may_be_changed_in_place() -> None:
    model = NTM(INPUTS, OUTPUTS, **SMALL)
    logits = model(draw(3, 2, INPUTS, dtype=torch.float32))
    logits += 1
    logits.sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_interrupt_waits_for_the_threads_at_work() -> None:
    """They write into memory that is the caller's."""
    release, ended = threading.Event(), threading.Event()

    def job(worker: int, first: int, count: int) -> None:
        if worker == 0:
            release.set()
            raise KeyboardInterrupt
        release.wait(10)
        time.sleep(0.05)
        ended.set()

    with pytest.raises(KeyboardInterrupt):
        kernel_threads.run(job, [(0, 1), (1, 1)], workers=2)
    assert ended.is_set()
