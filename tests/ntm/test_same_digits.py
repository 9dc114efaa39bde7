"""The fused NTM computes the same digits whatever the processor, the libraries and the threads.

Each environment makes this processor pass for a lesser one to a library that would compute other
digits on it.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from ntmbench.engine import elementwise_kernels, optimizer_update
from ntmbench.ntm.kernels import backward, forward, gradients
from tests.engine.same_digits import HASWELL, check_fused_where_written, on_x86, printed, texts_of
from tests.ntm.digits import CASES, digests


def numpy_at_its_baseline() -> dict[str, str]:
    """NumPy without the instructions that it uses where it finds them."""
    umath = np._core._multiarray_umath  # type: ignore[attr-defined]
    found = [name for name in umath.__cpu_dispatch__ if umath.__cpu_features__.get(name)]
    return {"NPY_DISABLE_CPU_FEATURES": " ".join(found)}


ENVIRONMENTS: dict[str, dict[str, str]] = {
    "kernels without AVX-512": HASWELL,
    "PyTorch with AVX2": {"ATEN_CPU_CAPABILITY": "avx2"},
    "PyTorch at its baseline": {"ATEN_CPU_CAPABILITY": "default"},
    "NumPy at its baseline": numpy_at_its_baseline(),
    "C library without FMA": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2"},
}


#: Everything compiled between the batch and the weights.
KERNELS = (
    forward.run_forward,
    backward.run_backward,
    gradients.weight_gradients,
    gradients.start_gradients,
    elementwise_kernels.sigmoids,
    elementwise_kernels.softmaxes,
    elementwise_kernels.softmaxes_backward,
    optimizer_update.step_rmsprop,
    optimizer_update.step_adam,
    optimizer_update.update_average,
)


def digits(environment: dict[str, str], threads: int = 1) -> list[str]:
    """The digests of all stages in a process of its own."""
    return printed("tests.ntm.digits", environment, str(threads))


@pytest.fixture(scope="module")
def here() -> list[str]:
    found = digits({})
    assert len(found) == len(set(found)) == 10 * len(CASES)
    return found


@pytest.mark.slow
@on_x86
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_same_digits_in_every_environment(name: str, here: list[str]) -> None:
    assert digits(ENVIRONMENTS[name]) == here


@pytest.mark.slow
def test_the_same_digits_on_two_threads(here: list[str]) -> None:
    assert digits({}, threads=2) == here


@pytest.mark.slow
@on_x86
def test_nothing_is_fused_reordered_or_approximated_but_where_it_is_written() -> None:
    for _ in digests(CASES[1]):  # which runs Adam
        pass
    for _ in digests(CASES[2]):  # which runs RMSProp
        pass
    for kernel in KERNELS:
        for ir, assembly in texts_of(kernel):
            assert "define" in ir
            operations = re.findall(r" = (?:f\w+|(?:tail )?call) .*", ir)
            flags = r"\b(?:fast|reassoc|contract|arcp|afn|nnan|ninf|nsz)\b"
            assert not [line for line in operations if re.search(flags, line)]
            assert not re.findall(r"\bv?r(?:cp|sqrt)\w+", assembly)
            assert not re.findall(r"@(?:llvm\.)?(?:pow|exp|log|tanh|sin|cos)\w*[.(]", ir)
        check_fused_where_written(kernel)
