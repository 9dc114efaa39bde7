"""The decorator of the DNC's kernels, with one message for the compilation of all of them."""

from ntmbench.engine.jit import kernel

dnc_kernel = kernel("the engine of the DNC", 15)
