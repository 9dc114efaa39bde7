"""The fused NTM computes the same digits whatever the processor, the libraries and the threads.

Each environment makes this processor pass for a lesser one to a library that would compute other
digits on it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from ntmbench.engine import elementwise_kernels, optimizer_update, processor
from ntmbench.ntm.kernels import backward, forward, gradients
from tests.ntm.digits import CASES, digests

ROOT = Path(__file__).parents[2]

#: A processor with AVX2 and fused multiply-add, and without AVX-512.
HASWELL = {
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+64bit,+avx,+avx2,+bmi,+bmi2,+cx16,+f16c,+fma,+fxsr,+lzcnt,+mmx,+movbe,"
    "+popcnt,+sse,+sse2,+sse3,+sse4.1,+sse4.2,+ssse3,+xsave",
}


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
    done = subprocess.run(
        [sys.executable, "-m", "tests.ntm.digits", str(threads)],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def here() -> list[str]:
    found = digits({})
    assert len(found) == len(set(found)) == 10 * len(CASES)
    return found


@pytest.mark.slow
@pytest.mark.skipif(not processor.X86, reason="the environments are those of x86 processors")
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_same_digits_in_every_environment(name: str, here: list[str]) -> None:
    assert digits(ENVIRONMENTS[name]) == here


@pytest.mark.slow
def test_the_same_digits_on_two_threads(here: list[str]) -> None:
    assert digits({}, threads=2) == here


def compiled_anew(kernel: Any) -> Any:
    """A kernel that has run, compiled again without its cache, which holds no text."""
    fresh = numba.njit(nogil=True, error_model="numpy", _nrt=False)(kernel.py_func)
    for signature in kernel.signatures:
        fresh.compile(signature)
    return fresh


def text_of(parts: dict[Any, str]) -> str:
    return "\n".join(parts.values())


@pytest.mark.slow
@pytest.mark.skipif(not processor.X86, reason="the instructions are those of x86 processors")
def test_nothing_is_fused_reordered_or_approximated_but_where_it_is_written() -> None:
    for _ in digests(CASES[1]):  # which runs Adam
        pass
    for _ in digests(CASES[2]):  # which runs RMSProp
        pass
    for kernel in KERNELS:
        compiled = compiled_anew(kernel)
        ir, assembly = text_of(compiled.inspect_llvm()), text_of(compiled.inspect_asm())
        assert "define" in ir
        operations = re.findall(r" = (?:f\w+|(?:tail )?call) .*", ir)
        flags = r"\b(?:fast|reassoc|contract|arcp|afn|nnan|ninf|nsz)\b"
        assert not [line for line in operations if re.search(flags, line)]
        written = len(re.findall(r"call .*@llvm\.fma\.", ir))
        assert len(re.findall(r"\bvfn?m(?:add|sub)\w+", assembly)) == written
        assert not re.findall(r"\bv?r(?:cp|sqrt)\w+", assembly)
        assert not re.findall(r"@(?:llvm\.)?(?:pow|exp|log|tanh|sin|cos)\w*[.(]", ir)
