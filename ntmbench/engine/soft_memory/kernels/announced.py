"""The decorator of these kernels, with one message for the compilation of all of them."""

from ntmbench.engine.jit import kernel

soft_kernel = kernel("the engine of stacks and tapes", 10)
