"""The decorator of these kernels, with one message for the compilation of all."""

from ntmbench.engine.jit import kernel

slstm_kernel = kernel("the engine of the sLSTM", 5)
