"""Commands in the order in which they are said, and the actions in which they are carried out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntmbench.data.choices import Integers
from ntmbench.data.symbols import SILENT
from ntmbench.tasks.translate.sentences import moved, step_in_parts

#: The words beside the verbs, whose symbols come before theirs.
WORDS = ("left", "right", "opposite", "twice", "thrice", "and", "after")
LEFT, OPPOSITE, TWICE, AND, AFTER = (WORDS.index(w) for w in WORDS if w not in ("right", "thrice"))


class Parts(NamedTuple):
    """The parts of L commands, ``[L, B]``.

    Attributes:
        verb: what is done.
        turn: where to turn before, SILENT for nowhere.
        opposite: whether to turn twice.
        times: how often all of it is done.
        after: whether it comes before all commands said earlier.
    """

    verb: Integers
    turn: Integers
    opposite: NDArray[np.bool_]
    times: Integers
    after: NDArray[np.bool_]


def said(parts: Parts, verbs: int) -> Integers:
    """The commands' words ``[5 L - 1, B]``, behind silence; turns are 0 for left, 1 for right."""
    number = np.arange(len(parts.verb))[:, np.newaxis]
    words = [
        np.where(number == 0, SILENT, verbs + AND + parts.after),
        parts.verb,
        np.where(parts.opposite, verbs + OPPOSITE, SILENT),
        np.where(parts.turn == SILENT, SILENT, verbs + LEFT + parts.turn),
        np.where(parts.times == 1, SILENT, verbs + TWICE + parts.times - 2),
    ]
    commands = np.stack(words, axis=1).reshape(-1, parts.verb.shape[1])
    shown: Integers = moved(commands[1:], silent_first=True)
    return shown


def parts_of(shown: Integers, values: Integers, count: int, verbs: int) -> Parts:
    """The parts of ``count`` commands that are ``shown [T, B]``.

    Verbs and turns are the ``values [T, B]`` at their steps.
    """
    word = shown - verbs
    command = ((word >= AND) & (word <= AFTER)).cumsum(axis=0)

    def step_of(found: NDArray[np.bool_]) -> Integers:
        step: Integers = step_in_parts(found, command, count)
        return step

    turn = step_of((word == LEFT) | (word == LEFT + 1))
    thrice = 2 * (step_of(word == TWICE + 1) != SILENT)
    return Parts(
        np.take_along_axis(values, step_of((shown >= 0) & (word < 0)), axis=0),
        np.where(turn == SILENT, SILENT, np.take_along_axis(values, turn, axis=0)),
        step_of(word == OPPOSITE) != SILENT,
        1 + (step_of(word == TWICE) != SILENT) + thrice,
        step_of(word == AFTER) != SILENT,
    )


def carried_out(parts: Parts, end: int) -> Integers:
    """The actions ``[9 L + 1, B]`` with the ``end`` behind them, and then silence."""
    length, batch_size = parts.verb.shape
    once = np.stack([np.where(parts.opposite, parts.turn, SILENT), parts.turn, parts.verb])
    thrice = np.stack([np.where(parts.times > repeat, once, SILENT) for repeat in range(3)])
    number = np.arange(length)[:, np.newaxis]
    order = np.where(parts.after & (number > 0), -number, number).argsort(axis=0, kind="stable")
    by_command = thrice.reshape(9, length, batch_size)
    actions = np.take_along_axis(by_command, order[np.newaxis], axis=1)
    ended = [actions.swapaxes(0, 1).reshape(-1, batch_size), np.full((1, batch_size), end)]
    answer: Integers = moved(np.concatenate(ended), silent_first=False)
    return answer
