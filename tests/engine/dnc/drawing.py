"""Random DNCs, their inputs, and what the fused and the eager form make of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ntmbench.baselines.memory.dnc import DNC, DNCSettings
from ntmbench.engine import dnc as engine

INPUTS, OUTPUTS = 3, 2
MENDS = ("masked_lookup", "erase_freed", "sharpened_links")

Run = Callable[[DNC, Tensor], Tensor]


@dataclass(frozen=True)
class Case:
    """Sizes, and the mends that are on."""

    mends: tuple[str, ...] = ()
    steps: int = 6
    batch: int = 2
    units: int = 5
    slots: int = 4
    words: int = 3
    heads: int = 2

    def __str__(self) -> str:
        """A name for the test's report."""
        sizes = (self.steps, self.batch, self.units, self.slots, self.words, self.heads)
        return "-".join([*self.mends, "x".join(map(str, sizes))])


def draw(case: Case, dtype: torch.dtype, seed: int = 0) -> tuple[DNC, Tensor]:
    """A model whose every term matters and inputs ``[T, B, in]``, the same in every type."""
    generator = torch.Generator().manual_seed(seed)
    settings = DNCSettings(
        controller_size=case.units,
        memory_slots=case.slots,
        word_size=case.words,
        read_heads=case.heads,
        **dict.fromkeys(case.mends, True),
    )
    model = DNC(INPUTS, OUTPUTS, settings)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator) / 2)
    inputs = torch.randn(case.steps, case.batch, INPUTS, generator=generator)
    return model.to(dtype), inputs.to(dtype).requires_grad_()


def fused(model: DNC, inputs: Tensor) -> Tensor:
    """The fused engine, in float64 too."""
    return engine.run(model.shape(), inputs, model.weights())


def eager(model: DNC, inputs: Tensor) -> Tensor:
    """The reference."""
    logits: Tensor = model.forward_eager(inputs)
    return logits


def results(run: Run, model: DNC, inputs: Tensor) -> list[Tensor]:
    """Logits, and the gradients of inputs and weights of a sum of products with fixed numbers."""
    logits = run(model, inputs)
    generator = torch.Generator().manual_seed(9)
    pull = torch.randn(logits.shape, generator=generator).to(logits.dtype)
    wanted = [inputs, *model.parameters()]
    return [logits.detach(), *torch.autograd.grad((logits * pull).sum(), wanted)]


def worst(found: Sequence[Tensor], exact: Sequence[Tensor]) -> float:
    """The largest difference, each relative to the largest number of its tensor; NaN stays NaN."""
    differences = [
        ((one - other).abs().max() / other.abs().max().clamp_min(1e-300)).double()
        for one, other in zip(found, exact, strict=True)
    ]
    return float(torch.stack(differences).max())
