"""Words that stand for symbols: letters, numbered names, and made-up words."""

from __future__ import annotations

from functools import cache
from itertools import product

#: How a delimiter is written that ends a question.
END = "|"

#: The words that end a sentence.
STOPS = (".", END)

_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_CONSONANTS = "bdfgklmnprstvz"
_VOWELS = "aeiou"


@cache
def letters(count: int) -> tuple[str, ...]:
    """``a`` to ``z``, and then ``aa``, ``ab`` and so on."""
    found: list[str] = []
    size = 1
    while len(found) < count:
        found += map("".join, product(_ALPHABET, repeat=size))
        size += 1
    return tuple(found[:count])


@cache
def numbered(start: str, count: int) -> tuple[str, ...]:
    """``x0``, ``x1`` and so on for ``start = "x"``; plain numbers for an empty one."""
    return tuple(f"{start}{number}" for number in range(count))


@cache
def made_up(count: int, start: str = "", syllables: int = 2) -> tuple[str, ...]:
    """Different words that can be spoken, such as ``bafe``, ``dagi``, ``fako``.

    Words next to each other differ in more than one sound, as far as there are enough. ``start``
    is the beginning of each, by which the words of a kind are told from others.

    Raises:
        ValueError: if there are not so many words.
    """
    sounds = tuple(map("".join, product(_CONSONANTS, _VOWELS)))
    number = len(sounds) ** syllables
    if count > number:
        raise ValueError(f"There are {number} words of {syllables} syllables, and not {count}.")
    # A step that shares no divisor with the number of words visits every one of them. The divisors
    # of 14 * 5 are 2, 5 and 7.
    step = number * 8 // 13 | 1
    while step % 5 == 0 or step % 7 == 0:
        step += 2
    words = []
    for place in range(count):
        rest, word = place * step % number, ""
        for _ in range(syllables):
            rest, sound = divmod(rest, len(sounds))
            word += sounds[sound]
        words.append(start + word)
    return tuple(words)
