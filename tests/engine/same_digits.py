"""What the tests of an engine's digits share: digests, lesser processors, and compiled text."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numba
import pytest
from torch import Tensor

from ntmbench.engine import processor

ROOT = Path(__file__).parents[2]

#: A processor with AVX2 and fused multiply-add, and without AVX-512.
HASWELL = {
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+64bit,+avx,+avx2,+bmi,+bmi2,+cx16,+f16c,+fma,+fxsr,+lzcnt,+mmx,+movbe,"
    "+popcnt,+sse,+sse2,+sse3,+sse4.1,+sse4.2,+ssse3,+xsave",
}

on_x86 = pytest.mark.skipif(not processor.X86, reason="what is told is of x86 processors")
#: Environments in which this processor passes for a lesser one.
lesser_processors = pytest.mark.parametrize(
    "environment", [HASWELL, {"ATEN_CPU_CAPABILITY": "default"}], ids=["kernels", "PyTorch"]
)


#: A processor with registers of 512 bits.
WIDE = "skylake-avx512"


def digest(result: Tensor) -> str:
    """A digest of a tensor's bits."""
    return hashlib.blake2b(result.detach().numpy().tobytes(), digest_size=8).hexdigest()


def printed(module: str, environment: dict[str, str], *arguments: str) -> list[str]:
    """The lines that a module prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def texts_of(kernel: Any) -> list[tuple[str, str]]:
    """The LLVM text and the assembly of a kernel that has run, for each of its signatures.

    It is compiled again without its cache, which holds no text.
    """
    fresh = numba.njit(nogil=True, error_model="numpy", _nrt=False)(kernel.py_func)
    for signature in kernel.signatures:
        fresh.compile(signature)
    return [(fresh.inspect_llvm(one), fresh.inspect_asm(one)) for one in fresh.signatures]


def check_fused_where_written(kernel: Any) -> int:
    """Check that products and sums are fused only where it is written; return how many are."""
    return sum(_check_fused_where_written(*texts) for texts in texts_of(kernel))


def _check_fused_where_written(ir: str, assembly: str) -> int:
    written = len(re.findall(r"call .*@llvm\.fma\.", ir))
    if "%zmm" in assembly:
        assert _fused(assembly) == written
    else:
        # A vector takes several registers here. Elsewhere code that was made for this processor may
        # be written once where two branches end alike.
        assert _fused(_assembly_with_wide_registers(ir)) <= written
    return written


def _fused(assembly: str) -> int:
    return len(re.findall(r"\bvfn?m(?:add|sub)\w+", assembly))


def _assembly_with_wide_registers(ir: str) -> str:
    """The assembly for a processor of which a register holds a whole vector."""
    processor = llvm.Target.from_default_triple().create_target_machine(cpu=WIDE, opt=3)
    assembly: str = processor.emit_assembly(llvm.parse_assembly(ir))
    return assembly
