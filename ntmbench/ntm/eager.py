"""The eager engine: an NTM in plain PyTorch, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ntmbench.ntm.cell import HeadOutputs, NTMState
from ntmbench.ntm.trace import NTMTrace

if TYPE_CHECKING:
    from ntmbench.ntm.model import NTM


def run(model: NTM, inputs: Tensor) -> Tensor:
    """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``."""
    state = model.initial_state(inputs.shape[1])
    answers = []
    for step_inputs in inputs:  # [B, in]
        outputs, _, state = model.cell(step_inputs, state)
        answers.append(torch.cat([state.reads.flatten(1), outputs], dim=-1))
    logits: Tensor = model.output(torch.stack(answers))
    return logits


def trace(model: NTM, inputs: Tensor) -> NTMTrace:
    """Run inputs ``[T, B, in]`` and return what the memory did."""
    state = model.initial_state(inputs.shape[1])
    answers: list[Tensor] = []
    asked: list[HeadOutputs] = []
    states: list[NTMState] = []
    for step_inputs in inputs:
        outputs, step_asked, state = model.cell(step_inputs, state)
        answers.append(torch.cat([state.reads.flatten(1), outputs], dim=-1))
        asked.append(step_asked)
        states.append(state)
    weightings = torch.stack([state.weightings for state in states])  # [T, B, H, N]
    s = model.settings
    return NTMTrace(
        logits=model.output(torch.stack(answers)),
        read_weightings=weightings[:, :, : s.read_heads],
        write_weightings=weightings[:, :, s.first_write : s.first_write + s.write_heads],
        reads=torch.stack([state.reads for state in states]),
        erases=torch.stack([step.erases for step in asked]),
        adds=torch.stack([step.adds for step in asked]),
        memory=torch.stack([state.memory for state in states]),
        key_strength=torch.stack([step.key_strength for step in asked]),
        interpolation_gate=torch.stack([step.interpolation_gate for step in asked]),
        shift=torch.stack([step.shift for step in asked]),
        sharpening=torch.stack([step.sharpening for step in asked]),
    )
