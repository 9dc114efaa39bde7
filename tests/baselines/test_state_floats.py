"""What each model carries from step to step, counted from its settings alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from ntmbench.registry import make_model, model_entry

INPUTS, OUTPUTS = 4, 3

Settings = dict[str, Any]


def per_head(numbers: float, heads: int) -> int:
    """Numbers of a head, rounded up."""
    return math.ceil(numbers / heads)


def keys_and_values(s: Any, steps: int) -> Any:
    """Of one layer, for all steps; a head has an even number of channels."""
    return 2 * steps * s.heads * 2 * math.ceil(s.hidden_size / (2 * s.heads))


def earlier(s: Any, channels: int) -> Any:
    """The earlier steps that a short convolution sees."""
    return (s.kernel_size - 1) * channels


def delta(s: Any, key: int, value: int, writes: int = 1) -> Any:
    """A layer: a matrix for each head; queries, keys and values are convolved."""
    convolved = s.heads * (key + writes * key + writes * value)
    return s.heads * key * value + earlier(s, convolved)


def delta_net(s: Any, writes: int = 1) -> Any:
    size = per_head(s.hidden_size, s.heads)
    return s.layers * delta(s, size, size, writes)


def gated_delta_net(s: Any) -> Any:
    key = per_head(0.75 * s.hidden_size, s.heads)
    return s.layers * delta(s, key, 2 * key)


def linear_attention(s: Any) -> Any:
    """A matrix and a normaliser for each head."""
    size = per_head(s.hidden_size, s.heads)
    return s.layers * s.heads * (size * size + size)


def mamba2(s: Any) -> Any:
    """A matrix for each head; what the heads see, B and C are convolved."""
    inner = s.heads * per_head(s.expansion * s.hidden_size, s.heads)
    return s.layers * (inner * s.state_size + earlier(s, inner + 2 * s.state_size))


def mlstm(s: Any) -> Any:
    """C, n and m of each head; the heads' channels come in groups of four."""
    unit = math.lcm(4, s.heads)
    inner = unit * math.ceil(s.expansion * s.hidden_size / unit)
    size = inner // s.heads
    return s.layers * (s.heads * (size * size + size + 1) + earlier(s, inner))


def slstm(s: Any) -> Any:
    """c, n, m and h of each cell."""
    cells = s.heads * per_head(s.hidden_size, s.heads)
    return s.layers * (4 * cells + earlier(s, cells))


def rwkv7(s: Any) -> Any:
    """A matrix for each head, and the step before, which both mixers see."""
    size = per_head(s.hidden_size, s.heads)
    return s.layers * (s.heads * size * size + 2 * s.hidden_size)


def ttt_linear(s: Any) -> Any:
    """W and b of a head of an even size, and the sums of their gradients in a mini-batch."""
    size = 2 * math.ceil(s.hidden_size / (2 * s.heads))
    models = 1 if s.mini_batch == 1 else 2
    return s.layers * (models * s.heads * (size * size + size) + earlier(s, s.heads * size))


def ntm(s: Any) -> Any:
    """The memory, a weighting of each head, what was read, and output and cell of the LSTM."""
    heads = (s.read_heads + s.write_heads) * s.memory_slots
    controller = 2 * s.controller_layers * s.controller_size if s.controller == "lstm" else 0
    return s.memory_slots * s.word_size + heads + s.read_heads * s.word_size + controller


def dnc(s: Any) -> Any:
    """As the NTM with one write head, and links, precedence and usage."""
    n = s.memory_slots
    weightings = (s.read_heads + 1) * n
    words = (n + s.read_heads) * s.word_size
    return words + n * n + n + n + weightings + 2 * s.controller_size


def sparse_memory(s: Any, steps: int) -> Any:
    """Words and last uses of slots in use, their number, and what was read, where and how much."""
    slots = min(s.memory_slots, steps) * (s.word_size + 1) + 1
    return slots + s.read_heads * (s.word_size + 2 * s.touched) + 2 * s.controller_size


EXPECTED: dict[str, Callable[[Any, int], Any]] = {
    "rnn": lambda s, steps: s.layers * s.hidden_size,
    "gru": lambda s, steps: s.layers * s.hidden_size,
    "lstm": lambda s, steps: 2 * s.layers * s.hidden_size,
    "seq2seq": lambda s, steps: 2 * s.layers * s.hidden_size,
    "attention_seq2seq": lambda s, steps: (2 * s.layers + steps) * s.hidden_size,
    "transformer": lambda s, steps: s.layers * keys_and_values(s, steps),
    "looped_transformer": lambda s, steps: (s.test_loops or s.loops) * keys_and_values(s, steps),
    "linear_attention": lambda s, steps: linear_attention(s),
    "delta_net": lambda s, steps: delta_net(s),
    "gated_delta_net": lambda s, steps: gated_delta_net(s),
    "delta_product": lambda s, steps: delta_net(s, s.product),
    "mamba2": lambda s, steps: mamba2(s),
    "mlstm": lambda s, steps: mlstm(s),
    "slstm": lambda s, steps: slstm(s),
    "rwkv7": lambda s, steps: rwkv7(s),
    "ttt_linear": lambda s, steps: ttt_linear(s),
    "ntm": lambda s, steps: ntm(s),
    "dnc": lambda s, steps: dnc(s),
    "sparse_memory": sparse_memory,
    "stack_rnn": lambda s, steps: s.hidden_size + s.stacks * s.depth * s.cell_size,
    # With how far a jump goes.
    "tape_rnn": lambda s, steps: s.hidden_size + s.tapes * s.cells * s.cell_size + 1,
    "constant": lambda s, steps: 0,
    "memoryless": lambda s, steps: 0,
}
#: Widths that are no multiple of the number of heads, and other settings than the defaults.
SIZES: dict[str, tuple[Settings, Settings]] = {
    "constant": ({}, {}),
    "memoryless": ({"hidden_size": 5}, {"hidden_size": 8}),
    "transformer": ({"hidden_size": 9, "heads": 2}, {"hidden_size": 12, "layers": 3}),
    "looped_transformer": (
        {"hidden_size": 9, "heads": 2, "loops": 3},
        {"hidden_size": 12, "loops": 3, "test_loops": 5},
    ),
    "linear_attention": ({"hidden_size": 7}, {"hidden_size": 12, "heads": 3, "layers": 1}),
    "rwkv7": ({"hidden_size": 7}, {"hidden_size": 12, "heads": 3, "layers": 1}),
    "delta_product": ({"hidden_size": 7}, {"hidden_size": 12, "product": 3, "kernel_size": 2}),
    "mamba2": ({"hidden_size": 7}, {"hidden_size": 9, "state_size": 5, "expansion": 1.5}),
    "mlstm": ({"hidden_size": 7}, {"hidden_size": 9, "heads": 3, "expansion": 1.5}),
    "ntm": (
        {"memory_slots": 6, "word_size": 4, "controller_size": 5, "read_heads": 2},
        {"memory_slots": 9, "word_size": 3, "controller": "feedforward", "write_heads": 3},
    ),
    "dnc": (
        {"memory_slots": 6, "word_size": 4, "controller_size": 5},
        {"memory_slots": 9, "word_size": 3, "controller_size": 7, "read_heads": 3},
    ),
    "ttt_linear": ({"hidden_size": 7}, {"hidden_size": 9, "heads": 3, "mini_batch": 1}),
    "sparse_memory": (
        {"memory_slots": 20, "word_size": 4, "controller_size": 5},
        {"memory_slots": 1000, "word_size": 3, "read_heads": 2, "touched": 3},
    ),
    "stack_rnn": ({"hidden_size": 5, "depth": 9}, {"stacks": 3, "depth": 4, "cell_size": 2}),
    "tape_rnn": ({"hidden_size": 5, "cells": 9}, {"tapes": 3, "cells": 4, "cell_size": 2}),
}
#: Of those with heads and short convolutions, and of those that are a stack of layers.
CONVOLVED: tuple[Settings, Settings] = (
    {"hidden_size": 7},
    {"hidden_size": 12, "heads": 3, "layers": 1, "kernel_size": 2},
)
SIZES |= dict.fromkeys(("delta_net", "gated_delta_net", "slstm"), CONVOLVED)
STACKS: tuple[Settings, Settings] = ({"hidden_size": 7}, {"hidden_size": 10, "layers": 3})


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("size", [0, 1], ids=["small", "larger"])
def test_state_floats_are_counted_exactly(name: str, size: int) -> None:
    chosen = SIZES.get(name, STACKS)[size]
    model = make_model(name, INPUTS, OUTPUTS, **chosen)
    settings = model_entry(name).settings(**chosen)
    for steps in (9, 30):
        assert model.state_floats(steps) == EXPECTED[name](settings, steps)


def test_a_memory_that_is_enlarged_carries_more() -> None:
    model = make_model("stack_rnn", INPUTS, OUTPUTS, hidden_size=5, stacks=1, depth=4, cell_size=2)
    with model.room_for(10):
        assert model.state_floats(9) == 5 + 10 * 2
