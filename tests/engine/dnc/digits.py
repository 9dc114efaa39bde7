"""A digest of every result of the DNC's kernels: `python -m tests.engine.dnc.digits`."""

from __future__ import annotations

import hashlib

import torch

from tests.engine.dnc.drawing import INPUTS, MENDS, Case, draw

CASES = (
    Case((), steps=20, batch=3, units=21, slots=40, words=18, heads=1),
    Case(MENDS, steps=9, slots=18, heads=4),
)


def digests() -> list[str]:
    """Of logits and gradients of the weights, of every case.

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
        lines += [f"{case} {_digest(result)}" for result in (logits, *found)]
    return lines


def _digest(result: torch.Tensor) -> str:
    return hashlib.blake2b(result.detach().numpy().tobytes(), digest_size=8).hexdigest()


if __name__ == "__main__":
    print("\n".join(digests()))
