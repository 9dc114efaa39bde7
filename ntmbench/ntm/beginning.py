"""The random numbers that an NTM begins with: weights, and a memory that is learned or random.

PyTorch's own draws differ between processors in the last digits. Here PyTorch's generator, which
``torch.manual_seed`` sets, gives one whole number for each tensor, the key of a stream of the
suite's own.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ntmbench.data.randomness import RandomWords, Stream


def initialised_linear(width: int, size: int) -> nn.Linear:
    """A linear map with Xavier-uniform weights (Glorot and Bengio 2010) and zero biases."""
    linear = nn.Linear(width, size, device="meta")  # which draws nothing
    # PyTorch's skip_init does the same, but imports SymPy, which delays the start of every run.
    linear.weight = nn.Parameter(torch.empty(size, width))
    linear.bias = nn.Parameter(torch.zeros(size))
    bound = np.sqrt(6 / (width + size))
    with torch.no_grad():
        _fill(linear.weight, lambda words: bound * (2 * words.uniform(size, width) - 1))
    return linear


def normal_numbers(rows: int, columns: int, deviation: float) -> Tensor:
    """Normal numbers ``[rows, columns]`` of mean zero."""
    numbers = torch.empty(rows, columns)
    _fill(numbers, lambda words: deviation * words.normal(rows, columns))
    return numbers


def _fill(tensor: Tensor, draw: Callable[[RandomWords], NDArray[np.float64]]) -> None:
    """Fill a tensor from a fresh stream, unless it is on PyTorch's ``meta`` and has no numbers."""
    if not tensor.is_meta:
        key = torch.randint(2**63 - 1, (), device="cpu")
        tensor.copy_(torch.from_numpy(draw(RandomWords(Stream.INITIALISATION, int(key)))))
