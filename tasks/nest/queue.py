"""Queue: what is left in a queue after operations on it."""

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


@register_task("queue")
@dataclass(frozen=True)
class Queue(Container):
    """Give back what is left in a queue, front first (this suite's own, as ``stack`` is made).

    ``a b c pop +d pop pop | -> d end``: the queue a b c, its front first, and four operations.

    A length is the number of operations, L. The queue at the beginning has 1 to L symbols, each
    number equally likely, and is shown from the front, after silence if there are fewer than L.
    Each operation takes the front away or puts a symbol at the back, with equal chances; nothing
    happens if there is no front. Every symbol is uniform. Symbols at the beginning, symbols put in,
    ``pop`` and the delimiter are one-hot, each on a channel of its own. The answer ends with
    ``end``, and nothing is scored after that. The input is silent during the answer, which begins
    at step 2L + 1. T = 4L + 2. By chance one symbol is always answered; of A answers in the mean,
    the end included, max(1, (A - 1) / ``symbols``) are right. There are 20 sequences of one
    operation, so that those of the tests occur in training too.

    An answer is made of the symbol that it gives back. All that enters and leaves decides which one
    that is; these steps are no sources.

    No model of the gallery solves it with its budget: the best, ``lstm``, makes 7 % of the errors
    of chance.

    Four operations (the answer in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = Queue()
        >>> print(as_words(task, task.test_set(length=4, sequences=6), sequence=5))
        _ a d d +a +c pop pop | [d] [a] [c] [end] _ _ _ _ _
    """

    version = 1
    lengths = Lengths(10, test=(5, 10, 15, 20, 40), select=((1, 1), (3, 2)))

    @property
    def shortcuts(self) -> Shortcuts:
        """The end is likelier later on.

        What is left is a good part of what was shown, which saved 0.31 without the order. The
        number taken out varies little, so that a linear read-out finds more: 0.33 were saved.
        """
        return Shortcuts(place=self.place_saves, bag=0.31, linear=0.33)

    def left(self, entering: NDArray[np.bool_], leaving: NDArray[np.bool_]) -> Integers:
        """From the front to the back."""
        steps, batch_size = entering.shape
        front = np.zeros(batch_size, np.int64)
        size = np.zeros(batch_size, np.int64)
        for step in range(steps):
            left = leaving[step] & (size > 0)
            front += left
            size += entering[step]
            size -= left
        held = (~entering).argsort(axis=0, kind="stable")  # the steps of all that ever entered
        rank = np.arange(steps)[:, np.newaxis]
        found = np.take_along_axis(held, (front + rank).clip(max=steps - 1), axis=0)
        return np.where(rank < size, found, SILENT)
