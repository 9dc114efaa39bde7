"""The values before an NTM's first step: controller states, reads, memory and weightings.

They are registered on the machine itself: as parameters if they are learned, else as buffers.
Constants are not persistent, so that they are no part of the ``state_dict``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from ntmbench.data.elementary import log
from ntmbench.ntm.beginning import normal_numbers

if TYPE_CHECKING:
    from ntmbench.ntm.settings import NTMSettings

Softmax = Callable[[Tensor], Tensor]
pytorch_softmax: Softmax = functools.partial(torch.softmax, dim=-1)

#: Standard deviation of the memory's first content if it is learned or random.
MEMORY_SPREAD = 0.1


def add_initial_values(module: nn.Module, settings: NTMSettings, states: int) -> None:
    """Add first values to a machine whose controller layers have ``states`` states each.

    They are ``first_controller [layers, states, C]``, ``first_reads [R, M]``, ``first_memory
    [rows, M]`` (one row if it is constant), and ``weighting_logits [H, N]`` if the weightings are
    learned.
    """
    slots, words = settings.memory_slots, settings.word_size
    learned = settings.initial_state == "learned"
    sizes = (settings.controller_layers, states, settings.controller_size)
    _add(module, "first_controller", torch.zeros(sizes), learned and states > 0)
    _add(module, "first_reads", torch.zeros(settings.read_heads, words), learned)

    if settings.initial_memory == "constant":
        row = torch.full((1, words), settings.initial_memory_value)
        _add(module, "first_memory", row, False)
    elif settings.initial_memory == "random":
        module.register_buffer("first_memory", normal_numbers(slots, words, MEMORY_SPREAD))
    else:
        _add(module, "first_memory", normal_numbers(slots, words, MEMORY_SPREAD), True)

    if settings.initial_weighting == "learned":
        # Half of the weight on slot 0: equal weights on equal rows would stay equal for ever.
        logits = torch.zeros(settings.heads, slots)
        logits[:, 0] = float(log(np.array(slots - 1.0)))
        module.register_parameter("weighting_logits", nn.Parameter(logits))


def repeated_memory(first: Tensor, slots: int) -> Tensor:
    """The memory ``[N, M]`` that repeats the rows of ``first [rows, M]``."""
    return first[torch.arange(slots, device=first.device) % len(first)]


def constant_weightings(kind: str, heads: int, slots: int, like: Tensor) -> Tensor:
    """Weightings ``[H, N]``, uniform or one_hot on slot 0, of the type and device of ``like``."""
    if kind == "uniform":
        return like.new_full((heads, slots), 1 / slots)
    weightings = like.new_zeros(heads, slots)
    weightings.select(1, 0).fill_(1)  # quicker than an index, at every call of the machine
    return weightings


def learned_weightings(logits: Tensor, slots: int, softmax: Softmax = pytorch_softmax) -> Tensor:
    """Weightings ``[H, N]`` for ``slots`` slots; those beyond the logits' get no weight.

    ``softmax`` is the one over the last axis.
    """
    known = softmax(logits[:, :slots])
    return torch.cat([known, known.new_zeros(len(logits), slots - known.shape[1])], dim=-1)


def _add(module: nn.Module, name: str, value: Tensor, learned: bool) -> None:
    if learned:
        module.register_parameter(name, nn.Parameter(value))
    else:
        module.register_buffer(name, value, persistent=False)
