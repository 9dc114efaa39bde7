"""A digest of every result of the kernels: `python -m tests.engine.slstm_cells.digits`."""

from __future__ import annotations

import torch
from torch import Tensor

from ntmbench.engine.slstm_cells import slstm_cells
from tests.engine.same_digits import digest

STEPS, BATCH, HEADS, CELLS = 9, 10, 2, 21


def digests() -> list[str]:
    """Of outputs and gradients.

    The arguments are multiples of 1/64, since PyTorch's normal numbers differ in their last digits
    with the processor.
    """
    generator = torch.Generator().manual_seed(2)

    def exact(*sizes: int) -> Tensor:
        return torch.randint(-64, 65, sizes, generator=generator).div(64).requires_grad_()

    given = exact(STEPS, BATCH, HEADS, 4, CELLS), exact(HEADS, CELLS, 4 * CELLS)
    outputs = slstm_cells(*given)
    found = torch.autograd.grad(outputs, given, outputs)
    return [digest(result) for result in (outputs, *found)]


if __name__ == "__main__":
    print("\n".join(digests()))
