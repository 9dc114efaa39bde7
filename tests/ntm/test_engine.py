"""Which engine runs, what no engine takes, and what only the eager one can run."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose
from torch import Tensor
from torch.autograd import forward_ad

from ntmbench.composition.composing import composing, to_run_config
from ntmbench.engine import processor
from ntmbench.errors import ModelError, SettingError
from ntmbench.ntm.model import NTM

SMALL: dict[str, Any] = {"controller_size": 5, "memory_slots": 4, "word_size": 3}
each_engine = pytest.mark.parametrize("name", ["auto", "fused", "eager"])


def machine(name: str, **overrides: Any) -> NTM:
    torch.manual_seed(0)
    return NTM(3, 2, **(SMALL | overrides), engine=name)


def draw(steps: int = 3, batch: int = 2) -> Tensor:
    return torch.rand(steps, batch, 3, generator=torch.Generator().manual_seed(1))


def test_auto_says_once_why_it_is_eager(caplog: pytest.LogCaptureFixture) -> None:
    model = machine("auto", controller="gru")
    with caplog.at_level(logging.INFO, logger="ntmbench"):
        for _ in range(3):
            model(draw())
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [
        "The eager engine runs, since the fused engine cannot run model.controller=gru."
    ]


def test_fused_is_refused_where_it_cannot_run() -> None:
    model = machine("fused", controller="rnn")
    with pytest.raises(SettingError, match=r"model\.engine=fused cannot run model\.controller=rnn"):
        model(draw())


def test_the_engine_is_no_part_of_a_runs_identity() -> None:
    with composing():
        eager, fused = (
            to_run_config(compose("config", overrides=["model=ntm", f"model.engine={name}"]))
            for name in ("eager", "fused")
        )
    assert (eager.model_settings.engine, fused.model_settings.engine) == ("eager", "fused")
    assert "engine" not in eager.identity()["model"]
    assert eager.run_name == fused.run_name


def test_the_version_of_the_model_is_a_part_of_it() -> None:
    with composing():
        ntm, lstm = (
            to_run_config(compose("config", overrides=[f"model={name}"])).identity()["model"]
            for name in ("ntm", "lstm")
        )
    assert ntm["version"] == 2
    assert "version" not in lstm  # it is still the first, whose runs keep their names


@each_engine
@pytest.mark.parametrize("shape", [(2, 1, 4), (0, 1, 3), (2, 0, 3), (2, 3)])
def test_inputs_of_a_wrong_shape(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"inputs \[T, B, 3\]"):
        machine(name)(torch.zeros(shape))


@each_engine
@pytest.mark.parametrize("call", [NTM.forward, NTM.trace])
def test_inputs_of_another_type(name: str, call: Callable[[NTM, Tensor], object]) -> None:
    with pytest.raises(ModelError) as error:
        call(machine(name), draw().double())
    assert str(error.value) == (
        "The NTM's weights are torch.float32 on cpu, but its inputs torch.float64 on cpu."
    )


@each_engine
def test_inputs_on_another_device(name: str) -> None:
    with pytest.raises(ModelError, match=r"float32 on cpu, but its inputs torch\.float32 on meta"):
        machine(name)(draw().to("meta"))


LEARNED = {"initial_memory": "learned", "initial_weighting": "learned", "initial_state": "learned"}


@each_engine
@pytest.mark.parametrize(
    "which", [name for name, _ in machine("eager", **LEARNED).named_parameters()]
)
def test_weights_of_several_types(name: str, which: str) -> None:
    model = machine(name, **LEARNED)
    parameter = model.get_parameter(which)
    parameter.data = parameter.data.double()
    with pytest.raises(ModelError, match=r"float\d\d on cpu and torch\.float\d\d on cpu"):
        model(draw())


@each_engine
def test_weights_on_several_devices(name: str) -> None:
    model = machine(name)
    model.cell.controller.to("meta")
    with pytest.raises(ModelError, match=r"on cpu and torch\.float32 on meta"):
        model(draw())


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.bfloat16, torch.float32])
def test_inputs_of_a_shorter_type_run_where_they_fit(dtype: torch.dtype) -> None:
    bits = (draw() > 0.5).to(dtype)
    model = machine("auto").double()
    torch.testing.assert_close(model(bits), model(bits.double()))
    with pytest.raises(SettingError, match=rf"cannot run in .*{dtype}"):
        machine("fused").double()(bits)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_automatic_mixed_precision(dtype: torch.dtype) -> None:
    model, inputs = machine("auto"), draw().to(dtype)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(inputs)
        assert torch.equal(logits, machine("eager")(inputs))
        with pytest.raises(SettingError, match=r"cannot run inside torch\.autocast"):
            machine("fused")(inputs)
    assert logits.dtype == torch.bfloat16
    torch.testing.assert_close(logits.float(), model(draw()), rtol=0.1, atol=0.02)


@pytest.mark.parametrize(
    ("avx512f", "avx", "x86", "registers"),
    [
        (True, True, True, (512, 32)),
        (False, True, True, (256, 16)),
        (False, False, True, (128, 16)),
        (False, False, False, (128, 32)),
    ],
)
def test_vector_registers(avx512f: bool, avx: bool, x86: bool, registers: tuple[int, int]) -> None:
    assert processor.vector_registers({"avx512f": avx512f, "avx": avx}, x86) == registers


@pytest.mark.parametrize(
    ("fma", "x86", "expected"), [(True, True, True), (False, True, False), (False, False, True)]
)
def test_fused_multiply_add(fma: bool, x86: bool, expected: bool) -> None:
    assert processor.multiplies_and_adds_at_once({"fma": fma}, x86) == expected


@pytest.mark.slow
@pytest.mark.skipif(not processor.X86, reason="other processors have it always")
def test_eager_without_fused_multiply_add(tmp_path: Path) -> None:
    script = (
        "import logging, torch\n"
        "logging.basicConfig(level=logging.INFO)\n"
        "from ntmbench import NTM\n"
        "NTM(3, 2)(torch.rand(2, 1, 3))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "NUMBA_CPU_FEATURES": "+sse2,+avx"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "the fused engine cannot run on a processor without fused multiply-add" in done.stderr


def reverse_mode(model: NTM) -> Tensor:
    gradient: Tensor = torch.func.grad(lambda x: model(x).square().sum())(draw())
    return gradient


def by_weight(model: NTM) -> Tensor:
    def loss(bias: Tensor) -> Tensor:
        logits: Tensor = torch.func.functional_call(model, {"cell.heads.bias": bias}, draw())
        return logits.square().sum()

    gradient: Tensor = torch.func.grad(loss)(model.cell.heads.bias.detach())
    return gradient


def batched(model: NTM) -> Tensor:
    logits: Tensor = torch.func.vmap(model)(torch.stack([draw(), 2 * draw()]))
    return logits


def dual(tensor: Tensor) -> Tensor:
    """The tensor with a tangent of ones."""
    both: Tensor = forward_ad.make_dual(tensor, torch.ones_like(tensor))  # type: ignore[no-untyped-call]
    return both


def tangent(tensor: Tensor) -> Tensor:
    found: Tensor = forward_ad.unpack_dual(tensor).tangent  # type: ignore[no-untyped-call]
    return found.clone()


def forward_mode(model: NTM) -> Tensor:
    with forward_ad.dual_level():
        return tangent(model(dual(draw())))


def forward_mode_by_weight(model: NTM) -> Tensor:
    with forward_ad.dual_level(), torch.no_grad():
        weights = {"output.bias": dual(model.output.bias.detach())}
        return tangent(torch.func.functional_call(model, weights, draw()))


def compiled(model: NTM) -> Tensor:
    logits: Tensor = torch.compile(model, backend="eager", fullgraph=True)(draw())
    return logits


def exported(model: NTM) -> Tensor:
    logits: Tensor = torch.export.export(model, (draw(),)).module()(2 * draw())
    return logits


def traced(model: NTM) -> Tensor:
    logits: Tensor = torch.jit.trace(model, (draw(),))(2 * draw())  # type: ignore[no-untyped-call]
    return logits


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize(
    "transform",
    [
        reverse_mode,
        by_weight,
        batched,
        forward_mode,
        forward_mode_by_weight,
        compiled,
        exported,
        traced,
    ],
)
@pytest.mark.parametrize("frozen", [False, True])
def test_auto_is_eager_under_transforms(transform: Callable[[NTM], Tensor], frozen: bool) -> None:
    auto, eager = (machine(name).requires_grad_(not frozen) for name in ("auto", "eager"))
    assert torch.equal(transform(auto), transform(eager))


@pytest.mark.parametrize("transform", [reverse_mode, batched, forward_mode, forward_mode_by_weight])
def test_fused_refuses_transforms(transform: Callable[[NTM], Tensor]) -> None:
    with pytest.raises(SettingError, match=r"model\.engine=fused cannot run in"):
        transform(machine("fused"))


def gradient_penalty(model: NTM) -> Tensor:
    inputs = draw().requires_grad_()
    (gradient,) = torch.autograd.grad(model(inputs).sum(), inputs, create_graph=True)
    (second,) = torch.autograd.grad(gradient.square().sum(), inputs)
    return second


@pytest.mark.parametrize("name", ["auto", "fused"])
def test_the_fused_engine_refuses_second_derivatives(name: str) -> None:
    with pytest.raises(ModelError, match=r"second derivatives.*model\.engine=eager"):
        gradient_penalty(machine(name))


def gradients_in_a_batch(model: NTM) -> Tensor:
    inputs = draw().requires_grad_()
    logits = model(inputs)
    towards = torch.eye(logits.numel()).view(-1, *logits.shape)
    (gradients,) = torch.autograd.grad(logits, inputs, towards, is_grads_batched=True)
    return gradients


def vectorised_jacobian(model: NTM) -> Tensor:
    jacobian: Tensor = torch.autograd.functional.jacobian(model, draw(), vectorize=True)  # type: ignore[no-untyped-call]
    return jacobian


def mapped_gradients(model: NTM) -> Tensor:
    inputs = draw().requires_grad_()
    logits = model(inputs)

    def gradient(towards: Tensor) -> Tensor:
        return torch.autograd.grad(logits, inputs, towards, retain_graph=True)[0]

    towards = torch.eye(logits.numel()).view(-1, *logits.shape)
    gradients: Tensor = torch.func.vmap(gradient)(towards)
    return gradients


batches = pytest.mark.parametrize(
    "batch", [gradients_in_a_batch, vectorised_jacobian, mapped_gradients]
)


@batches
@pytest.mark.parametrize("name", ["auto", "fused"])
def test_the_fused_engine_refuses_batches_of_gradients(
    batch: Callable[[NTM], Tensor], name: str
) -> None:
    with pytest.raises(ModelError, match=r"batches of gradients.*model\.engine=eager"):
        batch(machine(name))


@batches
def test_the_eager_engine_takes_batches_of_gradients(batch: Callable[[NTM], Tensor]) -> None:
    assert batch(machine("eager")).abs().max() > 0


def test_the_eager_engine_has_second_derivatives() -> None:
    assert gradient_penalty(machine("eager")).abs().max() > 0
