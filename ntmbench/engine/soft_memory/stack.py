"""A network with stacks, by the kernels; ``baselines.memory.stack_rnn`` has its equations."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .autograd import Network
from .autograd import run as run_network
from .kernels.layout import Problem
from .kernels.stack_passes import run_backward, run_forward


def run(
    inputs: Tensor, tensors: Sequence[Tensor], *, stacks: int, depth: int, empty: int
) -> Tensor:
    """Logits ``[T, B, out]`` for inputs ``[T, B, in]``, with gradients for every tensor.

    Args:
        inputs: ``[T, B, in]``, neither T nor B 0.
        tensors: weights and biases of the hidden layer, which sees ``[x, h, tops]``, of the
            actions, of what is pushed, and of the output, which sees ``[h, tops]``.
        stacks: their number.
        depth: cells of each.
        empty: what an empty cell holds.
    """
    steps, batch, width = inputs.shape
    problem = Problem(
        steps=steps,
        batch=batch,
        inputs=width,
        outputs=tensors[6].shape[0],
        units=tensors[0].shape[0],
        memories=stacks,
        cell=tensors[4].shape[0] // stacks,
        cells=min(depth, steps),  # no more are ever pushed to
        empty=empty,
        writer=0,
        training=False,
    )
    return run_network(STACKS, problem, inputs, tensors)


def _joined(p: Problem, tensors: Sequence[Tensor]) -> list[Tensor]:
    """The layers of the kernels, which see the cells under the heads before the hidden layer."""
    hidden, hidden_bias, actions, actions_bias, pushed, pushed_bias, output, output_bias = tensors
    shown, units, tops = hidden.split_with_sizes([p.inputs, p.units, p.memories * p.cell], dim=1)
    return [
        torch.cat([shown, tops, units], dim=1),
        hidden_bias,
        torch.cat([actions, pushed]),
        torch.cat([actions_bias, pushed_bias]),
        torch.cat([output[:, p.units :], output[:, : p.units]], dim=1),
        output_bias,
    ]


def _parted(p: Problem, gradients: Sequence[Tensor]) -> list[Tensor]:
    hidden, hidden_bias, asked, asked_bias, output, output_bias = gradients
    tops = p.memories * p.cell
    sizes = [len(asked) - tops, tops]
    actions, pushed = asked.split_with_sizes(sizes)
    actions_bias, pushed_bias = asked_bias.split_with_sizes(sizes)
    shown, heads, units = hidden.split_with_sizes([p.inputs, tops, p.units], dim=1)
    return [
        torch.cat([shown, units, heads], dim=1),
        hidden_bias,
        actions,
        actions_bias,
        pushed,
        pushed_bias,
        torch.cat([output[:, tops:], output[:, :tops]], dim=1),
        output_bias,
    ]


STACKS = Network(run_forward, run_backward, _joined, _parted)
