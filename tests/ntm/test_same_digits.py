"""The fused NTM computes the same digits whatever the processor, the libraries and the threads.

Each environment makes this processor pass for a lesser one to a library that would compute other
digits on it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ntmbench.engine import processor
from tests.ntm.digits import CASES

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
