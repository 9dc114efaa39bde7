"""The width of the kernels' vectors, the processor's registers, and the instructions it has."""

from __future__ import annotations

import platform
from collections.abc import Mapping

from numba import config
from numba.core.codegen import get_host_cpu_features

#: Bits in a vector of the kernels, on every processor: a sum over vectors depends on their width,
#: and so would all digits after it. LLVM splits a vector that is wider than the registers.
VECTOR_BITS = 512
#: Numbers of float32 in such a vector.
FLOAT_LANES = VECTOR_BITS // 32

#: Whether this is an x86 processor of 64 bits.
X86 = platform.machine().lower() in ("x86_64", "amd64")


def processor_features() -> dict[str, bool]:
    """What Numba compiles for, by LLVM's names: the host's features, or NUMBA_CPU_FEATURES."""
    chosen = config.CPU_FEATURES
    text = get_host_cpu_features() if chosen is None else chosen
    return {name[1:]: name[0] == "+" for name in text.split(",") if name}


def vector_registers(features: Mapping[str, bool], x86: bool) -> tuple[int, int]:
    """Bits in a vector register, and how many registers there are.

    A wrong answer costs time, not digits.
    """
    if features.get("avx512f"):
        return 512, 32
    if features.get("avx"):
        return 256, 16
    return 128, 16 if x86 else 32


def multiplies_and_adds_at_once(features: Mapping[str, bool], x86: bool) -> bool:
    """Whether a fused multiply-add is one instruction; if not, LLVM calls a function for each."""
    return not x86 or features.get("fma", False)


_FEATURES = processor_features()
#: They limit how large a block of a matrix product can be kept in registers, and nothing else.
REGISTER_BITS, REGISTERS = vector_registers(_FEATURES, X86)
FUSED_MULTIPLY_ADD = multiplies_and_adds_at_once(_FEATURES, X86)
