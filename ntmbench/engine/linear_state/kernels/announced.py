"""The decorator of these kernels, with one message for the compilation of both."""

from ntmbench.engine.jit import kernel

linear_kernel = kernel("the engine of matrix states", 10)
