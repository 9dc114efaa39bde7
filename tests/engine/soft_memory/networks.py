"""Networks of random weights, for the tests of their kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ntmbench.registry import make_model

#: What the first weights of each network are multiplied by, so that it neither forgets at once nor
#: makes any rounding grow.
SCALES = {"stack_rnn": 2.0, "tape_rnn": 1.0}
#: The settings of each network that say how many memories there are, and of how many cells.
SIZES = {"stack_rnn": ("stacks", "depth"), "tape_rnn": ("tapes", "cells")}


@dataclass(frozen=True)
class Case:
    """A network and its sizes."""

    model: str = "stack_rnn"
    steps: int = 7
    batch: int = 2
    hidden_size: int = 6
    memories: int = 2
    cells: int = 5
    cell_size: int = 3
    writer_size: int = 5  # of tapes
    inputs: int = 4
    outputs: int = 3

    def __str__(self) -> str:
        """A name for the test's report."""
        sizes = f"{self.steps}x{self.batch}-{self.inputs}-{self.hidden_size}-{self.outputs}"
        return f"{self.model}-{sizes}-{self.memories}x{self.cells}x{self.cell_size}"


def network(case: Case) -> Any:
    """The network with weights that are about as large as they may be."""
    memories, cells = SIZES[case.model]
    settings = {
        "hidden_size": case.hidden_size,
        "cell_size": case.cell_size,
        memories: case.memories,
        cells: case.cells,
    }
    if case.model == "tape_rnn":
        settings["writer_size"] = case.writer_size
    model = make_model(case.model, case.inputs, case.outputs, seed=1, **settings)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(SCALES[case.model])
    return model


def random_inputs(case: Case) -> Tensor:
    """Inputs ``[T, B, in]``, of which a fifth is silent."""
    generator = torch.Generator().manual_seed(3)
    drawn = torch.randn(case.steps, case.batch, case.inputs, generator=generator)
    shown = torch.rand(case.steps, case.batch, 1, generator=generator) > 0.2
    return (drawn * shown).requires_grad_()


def results(model: Any, inputs: Tensor) -> list[Tensor]:
    """Logits, and the gradients of inputs and weights of a sum of logits times fixed numbers."""
    logits, tensors = model(inputs), [inputs, *model.parameters()]
    pull = torch.randn(logits.shape, generator=torch.Generator().manual_seed(9)).to(logits)
    # The last actions of a tape change no answer.
    found = torch.autograd.grad(logits, tensors, pull, allow_unused=True, materialize_grads=True)
    return [logits.detach(), *found]
