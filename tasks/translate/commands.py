"""Commands: translate what shall be done into the actions, in the order in which they are done."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Chance
from ntmbench.data.choices import Integers
from ntmbench.data.edits import other_symbols
from ntmbench.data.layout import sources_at
from ntmbench.data.lengths import MAX_LENGTH, Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SILENT, SymbolTask, check_symbols, symbols_of, then_answer
from ntmbench.data.vocabulary import END, made_up
from ntmbench.errors import check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Shortcuts
from ntmbench.tasks.translate.sentences import moved, step_in_parts

WORDS = ("left", "right", "opposite", "twice", "thrice", "and", "after")
LEFT, OPPOSITE, TWICE, AND, AFTER = (WORDS.index(w) for w in WORDS if w not in ("right", "thrice"))


@register_task("commands")
@dataclass(frozen=True)
class Commands(SymbolTask):
    """Translate L commands into actions (Lake and Baroni 2018, SCAN).

    ``a left twice after b | -> B LEFT A LEFT A |``: first B, then what stands before "after".

    A command is a verb; then nothing, or a direction, which is turned to before the action, or
    "opposite" and a direction, which is turned to twice; then nothing, "twice" or "thrice". "And"
    puts the actions of the next command behind all those before, "after" puts them in front of all
    those before. A delimiter ends the commands, and another one the answer; the input is silent
    there. Silence before the commands fills them up to 5 L steps, so that all sequences end at the
    same step. The answer starts there and has 9 L + 1 steps, of which those up to the delimiter are
    scored. T = 14 L + 1.

    Verbs are uniform, and so are the five directions (none, left, right, and the opposite of
    either), one to three repeats, and "and" or "after".

    The source joins two commands at most, and has "turn", a verb without an action, and "around",
    four turns with the action after each. There are few single commands (60 at the default sizes),
    so that those of the tests occur in training too.

    Two commands (the answer in brackets, without the silence before and behind)::

        >>> from ntmbench.data.text import as_words
        >>> task = Commands()
        >>> batch = task.test_set(length=2, sequences=64)
        >>> print(as_words(task, batch, sequence=8).strip("_ "))
        dupo opposite right after baba twice | [BABA] [BABA] [RIGHT] [RIGHT] [DUPO] [|]
    """

    #: Number of different verbs.
    verbs: int = 4
    #: Fewest commands in training.
    min_length: int = 1
    #: Most commands in training.
    max_length: int = 3

    family = "translate"
    axis = "commands"
    version = 1
    lengths = Lengths(3, test=(2, 3, 4, 6, 9), select=((1, 1), (3, 2)))
    sources_that_matter = 0.8  # the last answer is the delimiter, which does not change

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_symbols("verbs", self.verbs)
        check_length_range(self.min_length, self.max_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The verbs, the other words, and the delimiter."""
        return (*made_up(self.verbs), *WORDS, END)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The verbs' actions, the turns, and the delimiter."""
        turns = WORDS[LEFT : LEFT + 2]
        return (*(word.upper() for word in (*made_up(self.verbs), *turns)), END)

    @property
    def shortcuts(self) -> Shortcuts:
        """The last steps of an answer hold little but the delimiter: 0.04 of the errors were saved.

        All commands end at the same step, so that a linear read-out finds words of the last one,
        and with them some actions of it, at steps that vary little: 0.24 were saved.
        """
        return Shortcuts(place=0.05, linear=0.25)

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw the words of each command, and how it is joined to those before."""
        check_range("length", length, 1, MAX_LENGTH)
        shape = (length, batch_size)
        verb = words.integers(0, self.verbs - 1, *shape)
        turns = words.integers(0, 4, *shape)  # none, left, right, and the opposite of either
        times = words.integers(1, 3, *shape)
        after = words.bits(*shape) == 1
        direction = np.where(turns == 0, SILENT, self.verbs + LEFT + (turns + 1) % 2)
        opposite = turns > 2
        said = [
            np.where(np.arange(length)[:, np.newaxis] == 0, SILENT, self.verbs + AND + after),
            verb,
            np.where(opposite, self.verbs + OPPOSITE, SILENT),
            direction,
            np.where(times == 1, SILENT, self.verbs + TWICE + times - 2),
        ]
        commands = np.stack(said, axis=1).reshape(-1, batch_size)[1:]
        end = np.full((1, batch_size), self.input_width - 1)
        question = np.concatenate([moved(commands, silent_first=True), end])
        answer = _actions(verb, direction, opposite, times, after, self.verbs + 2)
        return self.batch(*then_answer(question, answer), len(question))

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """Find the words of each command, and put its actions where they belong."""
        return self.answered(self._answered(inputs, symbols_of(inputs), self.verbs + 2))

    def sources(self, inputs: FloatArray) -> NDArray[np.bool_]:
        """The word of the action or turn itself; other words count as its place.

        The delimiter's source is the other delimiter.
        """
        begin = 5 * self._commands(inputs)
        steps = np.arange(len(inputs))[:, np.newaxis] + np.zeros(inputs.shape[1], int)
        return sources_at(inputs, self._answered(inputs, steps, begin - 1)[begin:])

    def edits(self, inputs: FloatArray) -> FloatArray:
        """Other verbs, and the other direction."""
        kinds = (slice(self.verbs), slice(self.verbs + LEFT, self.verbs + LEFT + 2))
        return np.concatenate([other_symbols(inputs, kind) for kind in kinds])

    def chance(self, length: int) -> Chance:
        """Two actions a command, 3/5 of a turn to either side before each, and the delimiter."""
        counts = np.array([*[2 * length / self.verbs] * self.verbs, *[1.2 * length] * 2, 1])
        share = counts / counts.sum()
        loss = -float((counts * np.log2(share)).sum())
        return Chance(float(counts.sum() - counts.max()), loss)

    def demand(self, length: int) -> int:
        """One for each word."""
        return 5 * length

    def _commands(self, inputs: FloatArray) -> int:
        """The number of commands."""
        return len(inputs) // 14

    def _answered(self, inputs: FloatArray, values: Integers, end: int) -> Integers:
        """The answer ``[T, B]`` in ``values [T, B]`` of the words that it is made of."""
        shown, count = symbols_of(inputs), self._commands(inputs)
        word = shown - self.verbs
        command = ((word >= AND) & (word <= AFTER)).cumsum(axis=0)

        def step_of(said: NDArray[np.bool_]) -> Integers:
            found: Integers = step_in_parts(said, command, count)
            return found

        verb = step_of((shown >= 0) & (word < 0))
        turn = step_of((word == LEFT) | (word == LEFT + 1))
        thrice = 2 * (step_of(word == TWICE + 1) != SILENT)
        answer = _actions(
            np.take_along_axis(values, verb, axis=0),
            np.where(turn == SILENT, SILENT, np.take_along_axis(values, turn, axis=0)),
            step_of(word == OPPOSITE) != SILENT,
            1 + (step_of(word == TWICE) != SILENT) + thrice,
            step_of(word == AFTER) != SILENT,
            end,
        )
        return np.concatenate([np.full((5 * count, shown.shape[1]), SILENT), answer])


def _actions(
    verb: Integers,
    turn: Integers,
    opposite: NDArray[np.bool_],
    times: Integers,
    after: NDArray[np.bool_],
    end: int,
) -> Integers:
    """The answer ``[9 L + 1, B]`` of commands whose parts are ``[L, B]``, SILENT after the end."""
    length, batch_size = verb.shape
    once = np.stack([np.where(opposite, turn, SILENT), turn, verb])
    thrice = np.stack([np.where(times > repeat, once, SILENT) for repeat in range(3)])
    number = np.arange(length)[:, np.newaxis]
    order = np.where(after & (number > 0), -number, number).argsort(axis=0, kind="stable")
    ordered = np.take_along_axis(thrice.reshape(9, length, batch_size), order[np.newaxis], axis=1)
    actions = ordered.swapaxes(0, 1).reshape(-1, batch_size)
    ended = np.concatenate([actions, np.full((1, batch_size), end)])
    answer: Integers = moved(ended, silent_first=False)
    return answer
