"""The slots of a sparse memory: their words, when they were used, and which are like a key."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 (PyTorch's own convention)
from torch import Tensor

from ntmbench.ntm.addressing import cosine_similarity

#: A slot counts as used at a step where its weights add up to more than this.
USED = 0.005


class Slots:
    """The words of the slots that a sequence can use, and when they were used."""

    def __init__(self, inputs: Tensor, slots: int, word_size: int) -> None:
        """Empty slots for inputs ``[T, B, in]``, in a memory of so many ``slots``."""
        steps, batch_size, _ = inputs.shape
        self.size = min(slots, steps)  # S: a step takes one more slot into use at most
        self.words = inputs.new_zeros(batch_size, self.size, word_size)
        self._step = 0
        # The step of the last use. Slots that were never used come first, by their number.
        never = torch.arange(self.size, device=inputs.device) - self.size
        self._last_use = never.repeat(batch_size, 1)  # [B, S]
        # How many slots were ever written [B]; they are the first ones.
        self._in_use = torch.zeros(batch_size, dtype=torch.long, device=inputs.device)

    @property
    def _reached(self) -> int:
        """Slots that can be in use by now: no later one is written or found."""
        return min(self._step + 1, self.size)

    def least_used(self) -> Tensor:
        """The slot ``[B]`` that was not used for longest; it is in use from now on."""
        slot = self._last_use[:, : self._reached].argmin(dim=1)  # [B, n] to [B]
        self._in_use = torch.maximum(self._in_use, slot + 1)
        return slot

    def write(self, written: Tensor, added: Tensor) -> Tensor:
        """Erase the last of the slots ``written [B, k]``, and add ``[B, k, M]`` to all of them.

        Returns what stood in them, ``[B, k, M]``.
        """
        old = rows_of(self.words, written)  # [B, k, M]
        self.words.scatter_(1, columns_of(written[:, -1:], self.words), 0.0)
        self.words.scatter_add_(1, columns_of(written, self.words), added)
        return old

    def most_alike(self, keys: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """The slots ``[B, R, K]`` most like keys ``[B, R, M]``, and whether there are so many.

        The search goes through the n slots that can be in use by now.
        """
        words = self.words[:, : self._reached]  # [B, n, M]
        alike = cosine_similarity(words, keys)  # [B, R, n]
        numbers = torch.arange(self._reached, device=keys.device)  # [n]
        unused = numbers >= self._in_use.unsqueeze(1)  # [B, n]
        alike = alike.masked_fill(unused.unsqueeze(1), -torch.inf)  # [B, R, n]
        found = alike.topk(min(count, self._reached), dim=2)  # [B, R, K or n]
        missing = (0, count - found.indices.shape[2])
        known = F.pad(found.values, missing, value=-torch.inf) > -torch.inf  # [B, R, K]
        return F.pad(found.indices, missing), known

    def note_use(self, written: Tensor, writes: Tensor, read: Tensor, reads: Tensor) -> None:
        """Note which slots the step used, by their weights, and go on to the next.

        ``written`` and ``writes`` are ``[B, k]``, ``read`` and ``reads`` ``[B, R, K]``.
        """
        weights = self.spread(writes, written) + self.spread(reads, read).sum(dim=1)  # [B, S]
        self._last_use = torch.where(weights > USED, self._step, self._last_use)
        self._step += 1

    def spread(self, weights: Tensor, slots: Tensor) -> Tensor:
        """Weights ``[..., k]`` of ``slots [..., k]`` on all slots, ``[..., S]``."""
        spread = weights.new_zeros(*weights.shape[:-1], self.size)  # [..., S]
        return spread.scatter_add(-1, slots, weights)


def rows_of(words: Tensor, slots: Tensor) -> Tensor:
    """The words ``[B, ..., M]`` of ``slots [B, ...]``, of ``words [B, S, M]``."""
    rows = words.gather(1, columns_of(slots.flatten(1), words))  # [B, k, M]
    return rows.view(*slots.shape, -1)  # [B, ..., M]


def columns_of(slots: Tensor, words: Tensor) -> Tensor:
    """Slots ``[B, k]`` as indices ``[B, k, M]`` of whole words."""
    return slots.unsqueeze(2).expand(-1, -1, words.shape[2])
