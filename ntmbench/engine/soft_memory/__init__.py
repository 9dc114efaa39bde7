"""Recurrent networks whose memories are moved by soft actions: stacks and tapes, on a CPU.

A step sees its input, the last hidden layer and what lies under the heads of the memories; the
hidden layer says how the memories move and what is written. The kernels compute all of it over all
steps, forward and backward, in float32. A network's own form in PyTorch operations is the reference
and runs where the kernels cannot.
"""
