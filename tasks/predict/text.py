"""Text of the made-up language: how it is drawn, and how likely each next word is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers
from ntmbench.data.randomness import RandomWords
from ntmbench.tasks.predict.phrases import KINDS, stacks

Array = NDArray[np.float64]

#: The number of words of each kind, and the first of them.
_COUNTS = np.array(list(KINDS.values()))
_FIRST = _COUNTS.cumsum() - _COUNTS
#: The kind of each word.
_KIND_OF = np.repeat(np.arange(len(KINDS)), _COUNTS)


def drawn_text(words: RandomWords, depth: int, length: int, batch_size: int) -> Integers:
    """Draw texts ``[length, B]`` with clauses embedded up to ``depth`` times."""
    machine = stacks(depth)
    bounds = machine.share.cumsum(axis=1)[:, :-1]
    coins = words.uniform(2, length, batch_size)
    state = np.zeros(batch_size, np.int64)
    text = np.empty((length, batch_size), np.int64)
    for step, (rule_coin, word_coin) in enumerate(coins.swapaxes(0, 1)):
        rule = (rule_coin[:, np.newaxis] >= bounds[state]).sum(axis=1)
        kind = machine.kind[state, rule]
        text[step] = _FIRST[kind] + (word_coin * _COUNTS[kind]).astype(np.int64)
        state = machine.after[state, rule]
    return text


def next_words(text: Integers, depth: int) -> Array:
    """The probability of each next word after each word of texts ``[T, B]``: ``[T, B, words]``.

    All words are as likely after a text that does not occur at this depth.
    """
    machine = stacks(depth)
    same = machine.kind[..., np.newaxis] == np.arange(len(KINDS))  # [N, R, kinds]
    of_kind = (same * machine.share[..., np.newaxis]).sum(axis=1)  # of the next word, [N, kinds]
    of_word = (of_kind / _COUNTS)[:, _KIND_OF]
    shown = _KIND_OF[text]
    steps, batch_size = shown.shape
    state = np.zeros((1, batch_size), np.int64)  # the stacks that fit, [H, B]
    weight = np.ones((1, batch_size))
    found = np.zeros((steps, batch_size, of_word.shape[1]))
    for step, kind in enumerate(shown):
        fits = machine.kind[state] == kind[:, np.newaxis]  # [H, B, R]
        each = np.where(fits, weight[..., np.newaxis] * machine.share[state], 0)
        moved, joint = (
            array.swapaxes(1, 2).reshape(-1, batch_size) for array in (machine.after[state], each)
        )
        most = int((joint > 0).sum(axis=0).max())
        order = (-joint).argsort(axis=0, kind="stable")[:most]
        state, weight = (np.take_along_axis(of, order, axis=0) for of in (moved, joint))
        total = weight.sum(axis=0)
        occurs = total > 0
        weight /= np.where(occurs, total, 1)
        likely = (weight[..., np.newaxis] * of_word[state]).sum(axis=0)
        found[step] = np.where(occurs[:, np.newaxis], likely, 1 / of_word.shape[1])
    return found


def mean_words(length: int, depth: int) -> Array:
    """The mean probability of each word over a text, without the first step: ``[words]``."""
    machine = stacks(depth)
    likely: Array = np.zeros(len(machine.share))
    likely[0] = 1
    seen: Array = np.zeros(len(KINDS))
    for step in range(length):
        joint = likely[:, np.newaxis] * machine.share
        if step:
            seen += np.bincount(machine.kind.ravel(), joint.ravel(), len(KINDS))
        likely = np.bincount(machine.after.ravel(), joint.ravel(), len(likely)).astype(float)
    means: Array = (seen / _COUNTS / (length - 1))[_KIND_OF]
    return means
