"""The decorator of the NTM's kernels: whoever waits for the compiler is told once for all."""

from ntmbench.engine.jit import kernel

ntm_kernel = kernel("the fused engine", 15)
