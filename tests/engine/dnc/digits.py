"""A digest of every result of the DNC's kernels: `python -m tests.engine.dnc.digits`."""

from __future__ import annotations

import torch

from tests.engine.dnc.drawing import INPUTS, MENDS, Case, draw
from tests.engine.same_digits import digest

CASES = (
    Case((), steps=20, batch=3, units=21, slots=40, words=18, heads=1),
    Case(MENDS, steps=9, slots=18, heads=4),
)


def digests() -> list[str]:
    """A line for the logits and for each weight's gradient, of every case.

    Weights and inputs are multiples of 1/64, since PyTorch's normal numbers differ in their last
    digits with the processor.
    """
    lines = []
    for case in CASES:
        generator = torch.Generator().manual_seed(2)
        model, _ = draw(case, torch.float32)

        def exact(*shape: int, generator: torch.Generator = generator) -> torch.Tensor:
            return torch.randint(-64, 65, shape, generator=generator) / 64

        with torch.no_grad():
            for weight in model.parameters():
                weight.copy_(exact(*weight.shape))
        logits = model(exact(case.steps, case.batch, INPUTS))
        found = torch.autograd.grad([logits], list(model.parameters()), [logits.detach()])
        lines += [f"{case} {digest(result)}" for result in (logits, *found)]
    return lines


if __name__ == "__main__":
    print("\n".join(digests()))
