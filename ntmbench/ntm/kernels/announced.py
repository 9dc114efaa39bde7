"""The decorator of the NTM's kernels, with one message for the compilation of all of them."""

from ntmbench.engine.jit import kernel

ntm_kernel = kernel("the fused engine", 15)
