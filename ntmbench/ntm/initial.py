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
from numpy.typing import NDArray
from torch import Tensor, nn

from ntmbench.data.elementary import log, sine_squared
from ntmbench.ntm.beginning import normal_numbers

if TYPE_CHECKING:
    from ntmbench.ntm.settings import NTMSettings

Softmax = Callable[[Tensor], Tensor]
pytorch_softmax: Softmax = functools.partial(torch.softmax, dim=-1)

#: Standard deviation of the memory's first content if it is learned or random.
MEMORY_SPREAD = 0.1
#: The most waves of a code, each a cosine and a sine, and their size.
CODE_WAVES = 4
CODE_SIZE = 0.5


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
        memory = normal_numbers(slots, words, MEMORY_SPREAD)
        if settings.initial_memory == "code":
            code = smooth_code(slots, words)
            memory[:, : code.shape[1]] = code
        _add(module, "first_memory", memory, True)

    if settings.initial_weighting == "learned":
        # Half of the weight on slot 0: equal weights on equal rows would stay equal for ever.
        logits = torch.zeros(settings.heads, slots)
        logits[:, 0] = float(log(np.array(slots - 1.0)))
        module.register_parameter("weighting_logits", nn.Parameter(logits))


def smooth_code(slots: int, words: int) -> Tensor:
    """Rows ``[N, numbers]`` of which neighbours are alike: cos(k t) and sin(k t), scaled.

    Row n has t = pi (n + 1/2) / N, and k = 1, 2, ... as far as a word has room, CODE_WAVES at most.
    """
    place = (np.arange(slots) + 0.5) / slots
    waves = [k * place for k in range(1, min(CODE_WAVES, words // 2) + 1)]
    columns = [_cosine(wave - turn) for wave in waves for turn in (0.0, 0.5)]
    if not columns:
        return torch.zeros(slots, 0)
    return torch.from_numpy(CODE_SIZE * np.stack(columns, axis=1)).to(torch.get_default_dtype())


def _cosine(half_turns: NDArray[np.float64]) -> NDArray[np.float64]:
    """The cosine of pi times the numbers, of which none is below -1/2."""
    within = np.abs(half_turns) % 2
    cosine: NDArray[np.float64] = 1 - 2 * sine_squared(np.minimum(within, 2 - within))
    return cosine


def resized_memory(first: Tensor, slots: int) -> Tensor:
    """The memory ``[N, M]`` whose rows are interpolated between those of ``first [rows, M]``."""
    rows = len(first)
    at = (torch.arange(slots, device=first.device, dtype=first.dtype) + 0.5) * rows / slots - 0.5
    at = at.clamp(0, rows - 1)
    below = at.floor().long().clamp(max=max(rows - 2, 0))
    above = (below + 1).clamp(max=rows - 1)
    return torch.lerp(first[below], first[above], (at - below).unsqueeze(1))


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
