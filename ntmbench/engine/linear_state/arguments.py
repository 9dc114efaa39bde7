"""What all forms of the recurrence take, checked once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Arguments:
    """The tensors of ``linear_state``; ``erase`` is told apart into its a and its b."""

    query: Tensor  # [T / every, B, H, K]
    key: Tensor  # [T, B, H, K]
    value: Tensor  # [T, B, H, V]
    decay: Tensor | None  # [T, B, H] or [T, B, H, K]
    erase_from: Tensor | None  # a, [T, B, H, K]
    erase_to: Tensor | None  # b, [T, B, H, K]
    state: Tensor | None  # [B, H, V, K]
    every: int

    def __post_init__(self) -> None:
        """Check that the sizes go together.

        Raises:
            ValueError: if they do not.
        """
        if self.key.ndim != 4 or 0 in self.key.shape or 0 in self.value.shape[-1:]:
            raise ValueError(f"key must be [T, B, H, K], none of them 0; got {_size(self.key)}.")
        if self.every < 1 or self.steps % self.every:
            raise ValueError(
                f"every must be 1 or more and divide the {self.steps} steps; got {self.every}."
            )
        steps, batch, heads, width = self.key.shape
        self._check("query", self.query, (steps // self.every, batch, heads, width))
        self._check("value", self.value, (steps, batch, heads, self.value.shape[-1]))
        if self.decay is not None and self.decay.ndim == 3:
            self._check("decay", self.decay, (steps, batch, heads))
        else:
            self._check("decay", self.decay, (steps, batch, heads, width))
        self._check("a of erase", self.erase_from, (steps, batch, heads, width))
        self._check("b of erase", self.erase_to, (steps, batch, heads, width))
        self._check("state", self.state, (batch, heads, self.value.shape[-1], width))

    @property
    def steps(self) -> int:
        """T, the number of steps."""
        return self.key.shape[0]

    def tensors(self) -> list[Tensor]:
        """All tensors that are there."""
        found = [self.query, self.key, self.value]
        optional = (self.decay, self.erase_from, self.erase_to, self.state)
        return found + [tensor for tensor in optional if tensor is not None]

    def first_state(self) -> Tensor:
        """The state before the first step, ``[B, H, V, K]``."""
        if self.state is not None:
            return self.state
        batch, heads, width = self.key.shape[1:]
        return self.key.new_zeros(batch, heads, self.value.shape[-1], width)

    def _check(self, name: str, tensor: Tensor | None, expected: tuple[int, ...]) -> None:
        if tensor is not None and tensor.shape != torch.Size(expected):
            raise ValueError(
                f"{name} must be {list(expected)}, to go with the key and the value; "
                f"got {_size(tensor)}."
            )


def arguments(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    decay: Tensor | None,
    erase: tuple[Tensor, Tensor] | None,
    state: Tensor | None,
    every: int,
) -> Arguments:
    """The arguments of ``linear_state`` in one object."""
    erase_from, erase_to = (None, None) if erase is None else erase
    return Arguments(query, key, value, decay, erase_from, erase_to, state, every)


def _size(tensor: Tensor) -> list[int]:
    return list(tensor.shape)
