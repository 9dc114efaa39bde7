"""One-shot classification: name classes that each sequence has for itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ntmbench.answer import Chance
from ntmbench.data.choices import distinct
from ntmbench.data.lengths import MAX_BITS, MAX_LENGTH, Lengths, check_length_range
from ntmbench.data.randomness import RandomWords
from ntmbench.data.symbols import SILENT, SymbolTask, check_symbols, one_hot, symbols_of
from ntmbench.data.vocabulary import letters, numbered
from ntmbench.errors import SettingError, check_range
from ntmbench.registry import register_task
from ntmbench.task import Batch, FloatArray, Variation
from ntmbench.tasks.learn.prototypes import flipped, prototypes, seen_so_often, sights

#: The sights that tests score by themselves, as the source reports them.
SIGHTS = (1, 2, 3, 4, 5, 10)


@register_task("one_shot")
@dataclass(frozen=True)
class OneShot(SymbolTask):
    """Name the class of each pattern; the true label comes one step later (Santoro et al. 2016).

    ``x (y, b) (x', a) (y', b) -> b a b a``, where x' is a copy of x that differs in a few bits.

    A length counts shots: how often a class is seen, in the mean. Each sequence has ``classes``
    classes with a prototype each, a pattern of bits, and gives them the labels in an order drawn
    uniformly. At each of T = ``classes`` L steps a class is drawn uniformly, and its pattern shown,
    with ``flips`` bits flipped, drawn uniformly too. Beside it, on channels of its own, stands the
    label of the step before. The answer at the step is the label of its own class. The prototypes
    are rows of Sylvester's Hadamard matrix, drawn without repetition, all of them plus one uniform
    pattern, modulo 2. Thus each is uniform by itself, any two differ in half of their bits, and so
    few bits are flipped that a pattern is always nearer to its own class than to others.

    By chance 1 - 1 / ``classes`` of all labels are wrong. At the first sight of a class its label
    can but be guessed, among those not yet shown. So no model is without errors, and tests have
    variations that score the first sights alone, the second ones, and so on, of the same sequences.
    Any earlier sight will do to tell a label, so that sources are not defined.

    The offset of labels by a step and the new order of labels in each sequence are those of the
    source's section 2. It shows images of characters, five classes in 50 steps. Images would need
    an encoder, which is not what is measured here. The patterns are this suite's own.

    Of the gallery's models the NTM alone learns it, in three to five minutes. With one seed of
    three it is still learning when its budget ends.

    Two classes (inputs: the bits that are 1, and the label before; the answers in brackets)::

        >>> from ntmbench.data.text import as_words
        >>> task = OneShot(bits=8, flips=0, classes=2)
        >>> print(as_words(task, task.test_set(length=2, sequences=1)))
        1 2 4 5 6 7 [b] 1 3 4 5 b [a] 1 2 4 5 6 7 a [b] 1 2 4 5 6 7 b [b]
    """

    #: Bits of a pattern, a power of two from 2 to 1024.
    bits: int = 16
    #: Flipped bits of each pattern shown, from 0 to less than an eighth of them.
    flips: int = 1
    #: Classes and labels of a sequence, from 2 to ``bits``.
    classes: int = 5
    #: The sights of a class that are scored, from 1 to 100000; 0 for all of them.
    sight: int = 0
    #: Fewest shots in training, from 1, or ``sight``, to ``max_length``.
    min_length: int = 2
    #: Most shots in training, from 1, or ``sight``, to 100000.
    max_length: int = 10

    family = "learn"
    axis = "shots"
    version = 1
    deterministic = False
    lengths = Lengths(10, test=(5, 10, 20, 40), select=((1, 1), (3, 2)))

    def __post_init__(self) -> None:
        """Check the settings; SettingError names the one that is out of range."""
        check_range("task.bits", self.bits, 2, MAX_BITS)
        power = 1 << (self.bits - 1).bit_length()
        if self.bits != power:
            raise SettingError(
                f"task.bits={self.bits} is no power of two. Allowed: 2, 4, 8 and so on, such as "
                f"{power}."
            )
        check_range("task.flips", self.flips, 0, (self.bits // 2 - 1) // 4)
        check_symbols("classes", self.classes, most=self.bits)
        check_range("task.sight", self.sight, 0, MAX_LENGTH)
        check_length_range(self.min_length, self.max_length, shortest=self.shortest_length)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The bits of the pattern, and the labels."""
        return numbered("", self.bits) + self.output_names

    @property
    def output_names(self) -> tuple[str, ...]:
        """The labels."""
        return letters(self.classes)

    @property
    def has_input_phase(self) -> bool:
        """Patterns and answers run side by side."""
        return False

    @property
    def shortest_length(self) -> int:
        """So many shots that some class is seen as often as is scored."""
        return max(1, self.sight)

    @property
    def variations(self) -> dict[str, Variation]:
        """Each sight by itself, at the longest training length; none if one alone is scored."""
        if self.sight:
            return {}
        return {
            f"sight {sight}": Variation(
                replace(self, sight=sight, min_length=self.max_length), self.max_length
            )
            for sight in SIGHTS
            if sight <= self.max_length
        }

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        """Draw the prototypes, their labels, the classes of all steps and the bits that flip."""
        steps = self.classes * length
        of_class = prototypes(words, self.classes, self.bits, batch_size)
        label = distinct(words, self.classes, self.classes, batch_size)
        chosen = words.integers(0, self.classes - 1, steps, batch_size)
        patterns = flipped(words, of_class[chosen, np.arange(batch_size)], self.flips)
        true = np.take_along_axis(label, chosen, axis=0)
        scored = sights(chosen) == self.sight if self.sight else np.ones_like(chosen, bool)
        batch = self.batch(
            np.full_like(true, SILENT), np.where(scored, true, SILENT), answer_start=0
        )
        batch.inputs[:, :, : self.bits] = patterns
        batch.inputs[1:, :, self.bits :] = one_hot(true[:-1], self.classes)
        return batch

    def oracle(self, inputs: FloatArray) -> FloatArray:
        """The label of an earlier pattern that is near enough, or else any that was not shown."""
        patterns, labels = inputs[:, :, : self.bits], inputs[:, :, self.bits :]
        steps, batch_size, _ = inputs.shape
        shown = np.maximum.accumulate(labels, axis=0)  # [T, B, classes]
        unseen = 1 - shown
        solved = unseen / np.maximum(unseen.sum(axis=2, keepdims=True), 1)
        signs = (2 * patterns - 1).transpose(1, 0, 2)
        # The product of two patterns of signs is their bits less twice those that differ.
        near = signs @ signs.transpose(0, 2, 1) >= self.bits - 4 * self.flips  # [B, T, T]
        near &= np.tri(steps, k=-1, dtype=bool)
        seen = near.any(axis=2).T
        known = symbols_of(labels)[near.argmax(axis=2).T + 1 - (~seen), np.arange(batch_size)]
        solved[seen] = one_hot(known[seen], self.classes)
        answer: FloatArray = solved.astype(np.float32)
        return answer

    def chance(self, length: int) -> Chance:
        """Every label is as likely as any other at every step that is scored."""
        scored = self._scored(self.classes * length)
        one = Chance.of_uniform_symbols(1, self.classes)
        return Chance(scored * one.errors, scored * one.loss_bits)

    def demand(self, length: int) -> int:
        """One for each class."""
        return self.classes

    def _scored(self, steps: int) -> float:
        """The scored steps in the mean."""
        return seen_so_often(self.sight, steps, self.classes) if self.sight else steps
