"""Stack: what is left on a stack after operations on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers
from ntmbench.data.lengths import Lengths
from ntmbench.data.symbols import SILENT
from ntmbench.registry import register_task
from ntmbench.task import Shortcuts
from ntmbench.tasks.nest.container import Container


@register_task("stack")
@dataclass(frozen=True)
class Stack(Container):
    """Give back what is left on a stack, top first (Delétang et al. 2023, "Stack Manipulation").

    ``a b c pop +d pop pop | -> a end``: the stack a b c, its top last, and four operations.

    A length is the number of operations, L. The stack at the beginning is 1 to L symbols high, each
    height equally likely, and shown from the bottom, after silence if it is lower than L. Each
    operation takes the top away or puts a symbol on it, with equal chances; nothing happens if
    there is no top. Every symbol is uniform. Symbols at the beginning, symbols put on, ``pop`` and
    the delimiter are one-hot, each on a channel of its own. The answer ends with ``end``, and
    nothing is scored after that. The input is silent during the answer, which begins at step
    2L + 1. T = 4L + 2. By chance one symbol is always answered; of A answers in the mean, the end
    included, max(1, (A - 1) / ``symbols``) are right. There are 20 sequences of one operation, so
    that those of the tests occur in training too.

    An answer is made of the symbol that it gives back. All that enters and leaves decides which one
    that is; these steps are no sources.

    The source (tasks/dcf/stack_manipulation.py in its code) has two symbols, counts those at the
    beginning as length too, and pops one time in three.

    Four operations (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Stack()
        >>> print(as_words(task, task.test_set(length=4, sequences=10), sequence=9))
        _ b c d pop +a +c pop | [a] [c] [b] [end] _ _ _ _ _
    """

    version = 1
    lengths = Lengths(10, test=(5, 10, 15, 20, 40), select=((1, 1), (3, 2)))

    @property
    def shortcuts(self) -> Shortcuts:
        """The end is likelier later on.

        What is left is a good part of what was shown, which saved 0.30 without the order. What was
        put on last is likely to be on top, so that a linear read-out finds more: 0.47 were saved.
        """
        return Shortcuts(place=self.place_saves, bag=0.3, linear=0.47)

    def left(self, entering: NDArray[np.bool_], leaving: NDArray[np.bool_]) -> Integers:
        """From the top to the bottom."""
        steps, batch_size = entering.shape
        sequence = np.arange(batch_size)
        held = np.empty_like(entering, np.int64)
        size = np.zeros(batch_size, np.int64)
        for step in range(steps):
            held[size.clip(max=steps - 1), sequence] = step  # overwritten if nothing enters
            size += entering[step]
            size -= leaving[step] & (size > 0)
        place = size - 1 - np.arange(steps)[:, np.newaxis]
        return np.where(place >= 0, np.take_along_axis(held, place.clip(0), axis=0), SILENT)
