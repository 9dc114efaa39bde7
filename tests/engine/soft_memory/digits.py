"""A digest of every result of the kernels: `python -m tests.engine.soft_memory.digits`."""

from __future__ import annotations

import torch

from tests.engine.same_digits import digest
from tests.engine.soft_memory.networks import SIZES, Case, network, random_inputs


def digests() -> list[str]:
    """Of logits and the weights' gradients of every network.

    Weights and inputs are multiples of 1/64, since PyTorch's random numbers differ in their last
    digits with the processor.
    """
    lines = []
    for name in SIZES:
        case = Case(name, steps=20, hidden_size=37, cell_size=9, cells=12)
        model, inputs = network(case), random_inputs(case)
        generator = torch.Generator().manual_seed(2)
        with torch.no_grad():
            for tensor in (inputs, *model.parameters()):
                tensor.copy_(torch.randint(-32, 33, tensor.shape, generator=generator) / 64)
        logits = model(inputs)
        found = torch.autograd.grad(logits, list(model.parameters()), logits)
        lines += [f"{case} {digest(result)}" for result in (logits, *found)]
    return lines


if __name__ == "__main__":
    print("\n".join(digests()))
