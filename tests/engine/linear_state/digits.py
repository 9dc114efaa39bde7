"""A digest of every result of the kernels: `python -m tests.engine.linear_state.digits`."""

from __future__ import annotations

import torch

from ntmbench.engine.linear_state import linear_state
from tests.engine.linear_state.drawing import Case, draw, leaves
from tests.engine.same_digits import digest

CASES = (
    Case("diagonal", True, 2, True, steps=20, keys=21, values=18),
    Case("scalar", False, 1, False, steps=9),
)


def digests() -> list[str]:
    """Of outputs, last state and gradients of every case.

    The arguments are multiples of 1/64, since PyTorch's normal numbers differ in their last digits
    with the processor.
    """
    lines = []
    for case in CASES:
        generator = torch.Generator().manual_seed(2)
        drawn = draw(case, torch.float32)
        for tensor in leaves(drawn):
            exact = torch.randint(-64, 65, tensor.shape, generator=generator) / 64
            tensor.requires_grad_(False).copy_(exact).requires_grad_()
        outputs, last = linear_state(**drawn)
        found = torch.autograd.grad([outputs, last], leaves(drawn), [outputs, last])
        lines += [f"{case} {digest(result)}" for result in (outputs, last, *found)]
    return lines


if __name__ == "__main__":
    print("\n".join(digests()))
