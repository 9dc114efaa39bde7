"""The kernels of the DNC compute the same digits whatever the processor and the libraries."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from ntmbench.engine import processor
from ntmbench.engine.dnc.kernels import backward, forward, gradients
from tests.engine.dnc.digits import digests
from tests.ntm.test_same_digits import HASWELL, ROOT, compiled_anew, text_of


@pytest.mark.slow
@pytest.mark.skipif(not processor.X86, reason="the environments are those of x86 processors")
@pytest.mark.parametrize(
    "environment", [HASWELL, {"ATEN_CPU_CAPABILITY": "default"}], ids=["kernels", "PyTorch"]
)
def test_the_same_digits_without_avx512(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.engine.dnc.digits"],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == digests()


@pytest.mark.slow
@pytest.mark.skipif(not processor.X86, reason="the instructions are those of x86 processors")
@pytest.mark.parametrize(
    "kernel", [forward.run_forward, backward.run_backward, gradients.weight_gradients]
)
def test_products_and_sums_are_fused_only_where_it_is_written(kernel: object) -> None:
    digests()
    compiled = compiled_anew(kernel)
    ir, assembly = text_of(compiled.inspect_llvm()), text_of(compiled.inspect_asm())
    written = len(re.findall(r"call .*@llvm\.fma\.", ir))
    assert written > 0
    assert len(re.findall(r"\bvfn?m(?:add|sub)\w+", assembly)) == written
