"""The floor: the time that a training step's arithmetic takes at the rate of a matrix product.

Operations are multiplications and additions, so that a matrix product ``[a, b] @ [b, c]`` counts
2abc. Divisions, roots, exponentials and the like are left out, and so are elementwise work of the
controller and the normalisations. Only what no implementation of the equations can avoid counts.
"""

from __future__ import annotations

import time
from dataclasses import astuple, dataclass

import torch

from ntmbench.bench.measure import Clock
from ntmbench.ntm.settings import NTMSettings

# Linear maps in a layer of each kind of controller, and whether it sees its own last output.
GATES = {"lstm": (4, True), "gru": (3, True), "rnn": (1, True), "feedforward": (1, False)}

#: A backward pass costs two forward passes: a product's gradient is a product for each factor.
PASSES = 3


@dataclass(frozen=True)
class Operations:
    """Multiplications and additions of one step forward, for one sequence."""

    controller: int
    heads: int
    addressing: int
    read: int
    write: int
    output: int

    @property
    def total(self) -> int:
        """The sum of all."""
        return int(sum(astuple(self)))


def step_operations(settings: NTMSettings, input_width: int, output_width: int) -> Operations:
    """Count one step forward of one sequence.

    With N slots of M numbers, R read and W write heads, H = R + W, S shifts and L layers of C
    units, each of G linear maps:

    - controller: 2 G C (inputs + R M + C) for the first layer, 2 G C (C + C) for each other
      (without the last C in a feedforward controller);
    - heads: 2 C times the numbers that they ask for, H (M + 3 + S) + 2 W M;
    - addressing: keys with rows 2 H N M and squared norms of the rows 2 N M, eq. (6);
      interpolation 3 H N, eq. (7); shift 2 S H N, eq. (8);
    - read: 2 R N M, eq. (2);
    - write: 4 W N M, eqs. (3) and (4) as memory + w (add - erase * memory);
    - output: 2 (C + R M) outputs.
    """
    s = settings
    maps, recurrent = GATES[s.controller]
    units, slots, words, heads = s.controller_size, s.memory_slots, s.word_size, s.heads
    keys = s.compared
    own = units if recurrent else 0
    seen = [input_width + s.read_heads * words] + [units] * (s.controller_layers - 1)
    asked = heads * (s.compared + 3 + s.shift_width) + 2 * s.write_heads * words
    return Operations(
        controller=sum(2 * maps * units * (width + own) for width in seen),
        heads=2 * units * asked,
        addressing=(2 * heads * keys + 2 * keys + 3 * heads + 2 * s.shift_width * heads) * slots,
        read=2 * s.read_heads * slots * words,
        write=4 * s.write_heads * slots * words,
        output=2 * (units + s.read_heads * words) * output_width,
    )


def training_operations(
    settings: NTMSettings, input_width: int, output_width: int, steps: int
) -> int:
    """Count forward and backward of one training sequence of ``steps`` steps.

    For the paper's copy (N=128, M=20, C=100, one head of each kind, T=42) that is 19.7 million.
    """
    return PASSES * steps * step_operations(settings, input_width, output_width).total


def matrix_product_rate(
    size: int = 1024, repeats: int = 8, clock: Clock = time.perf_counter
) -> float:
    """Operations per second of ``torch.mm`` in float32 with torch's threads, the best of several.

    The factors are square, of the size ``size``.
    """
    left, right = torch.rand(size, size), torch.rand(size, size)
    product = torch.empty(size, size)
    quickest = float("inf")
    for _ in range(repeats + 1):  # one more, to warm up
        started = clock()
        torch.mm(left, right, out=product)
        quickest = min(quickest, clock() - started)
    return 2.0 * size**3 / quickest
