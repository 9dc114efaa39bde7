"""A network with tapes, by the kernels; ``baselines.memory.tape_rnn`` has its equations."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .autograd import Network
from .autograd import run as run_network
from .kernels.layout import TAPE_ACTIONS, Problem
from .kernels.tape_passes import run_backward, run_forward


def run(
    inputs: Tensor, tensors: Sequence[Tensor], jumps: Tensor, *, tapes: int, cells: int
) -> Tensor:
    """Logits ``[T, B, out]`` for inputs ``[T, B, in]``, with gradients for every tensor.

    Args:
        inputs: ``[T, B, in]``, neither T nor B 0.
        tensors: weights and biases of the hidden layer, which sees ``[x, h, cells under the
            heads]``, of the actions, of the three layers of the writer, and of the output, which
            sees h.
        jumps: the cells ``[T, B]`` that a jump takes.
        tapes: their number.
        cells: those of each.
    """
    steps, batch, width = inputs.shape
    problem = Problem(
        steps=steps,
        batch=batch,
        inputs=width,
        outputs=tensors[10].shape[0],
        units=tensors[0].shape[0],
        memories=tapes,
        cell=tensors[8].shape[0] // tapes,
        cells=cells,
        empty=0,
        writer=tensors[6].shape[0],
        training=False,
    )
    # float32 has every whole number below 2**24.
    return run_network(TAPES, problem, inputs, tensors, jumps.float())


def _joined(p: Problem, tensors: Sequence[Tensor]) -> list[Tensor]:
    """The layers of the kernels, which see the cells under the heads before the hidden layer."""
    hidden, hidden_bias, actions, actions_bias, first, first_bias, *further = tensors
    second, second_bias, written, written_bias, output, output_bias = further
    shown, units, heads = hidden.split_with_sizes([p.inputs, p.units, p.memories * p.cell], dim=1)
    return [
        torch.cat([shown, heads, units], dim=1),
        hidden_bias,
        torch.cat([actions, first]),
        torch.cat([actions_bias, first_bias]),
        output,
        output_bias,
        second,
        second_bias,
        written,
        written_bias,
    ]


def _parted(p: Problem, gradients: Sequence[Tensor]) -> list[Tensor]:
    hidden, hidden_bias, asked, asked_bias, output, output_bias, *writer = gradients
    shown, heads, units = hidden.split_with_sizes([p.inputs, p.memories * p.cell, p.units], dim=1)
    sizes = [p.memories * TAPE_ACTIONS, p.writer]
    actions, first = asked.split_with_sizes(sizes)
    actions_bias, first_bias = asked_bias.split_with_sizes(sizes)
    return [
        torch.cat([shown, units, heads], dim=1),
        hidden_bias,
        actions,
        actions_bias,
        first,
        first_bias,
        *writer,
        output,
        output_bias,
    ]


TAPES = Network(run_forward, run_backward, _joined, _parted)
