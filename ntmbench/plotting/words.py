"""One sequence of symbols in words: what is shown, what is asked for, and what models answer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ntmbench.data.text import MOST_WORDS, channel_words
from ntmbench.plotting.example import Example, input_panels
from ntmbench.plotting.heatmaps import LETTER, STEPS_ROOM
from ntmbench.plotting.panels import Panel
from ntmbench.plotting.sheet import CHARACTER, draw_panels

#: Inches of a step whose word is turned.
TURNED = 0.108
#: A line of a wrapped sequence has so many steps, however long their words are.
FEWEST_STEPS = 4

Texts = NDArray[np.str_]


def fits_words(example: Example) -> bool:
    """Whether the answer can be told in words: of symbols, and not of too many steps.

    A sequence of any length can, if its input is told in words too, since these are wrapped.
    """
    return example.kind == "symbols" and (_input_in_words(example) or fits_line(example))


def fits_line(example: Example, room: float = STEPS_ROOM) -> bool:
    """Whether the words of all steps have room beside one another, in so many inches."""
    return len(example.inputs) * min(TURNED, LETTER * _longest_word(example)) <= room


def draw_words(
    examples: Mapping[str, Example], *, title: str = "", below: Sequence[Panel] = ()
) -> Figure:
    """Draw what is shown, and what is to be answered above what each of several models answered.

    Wrong answers are red. An input that has many channels at a step is drawn as a heat map. Steps
    that have no room beside one another are wrapped onto several lines.

    Args:
        examples: answers to the same sequence, which ``fits_words``, by the names of their rows.
        title: of the figure.
        below: more panels, over the steps of a sequence that ``fits_line``.
    """
    first = next(iter(examples.values()))
    room = STEPS_ROOM - CHARACTER * max(0, max(map(len, examples)) - len("output"))
    if fits_line(first, room) or not _input_in_words(first):
        panels = [*_input_panels(first), _answer_panel(examples), *below]
        return draw_panels(panels, title=title, answer_start=first.answer_start)
    return draw_panels(list(_lines(examples, room)), title=title, steps="step of the line")


def _lines(examples: Mapping[str, Example], room: float) -> Iterator[Panel]:
    """Panels of as many steps each; those without a word are left out."""
    first = next(iter(examples.values()))
    steps = len(first.inputs)
    fitting = max(FEWEST_STEPS, int(room / (LETTER * (_longest_word(first) + 1))))
    each = math.ceil(steps / math.ceil(steps / fitting))
    shown, answers = _words_panel(first), _answer_panel(examples)
    for start in range(0, steps, each):
        for panel in (shown, answers):
            assert panel.texts is not None
            line = slice(start, start + each)
            if (panel.texts[line] != "").any():
                yield Panel(
                    f"{panel.title} from {start}",
                    "",
                    _filled(panel.values[line], each, 0.0),
                    "words",
                    names=panel.names,
                    texts=_filled(panel.texts[line], each, ""),
                )


def _filled(rows: NDArray[Any], count: int, filling: Any) -> NDArray[Any]:
    """The rows, and then such that are filled, up to ``count``."""
    missing = np.full((count - len(rows), *rows.shape[1:]), filling, rows.dtype)
    return np.concatenate([rows, missing])


def _input_panels(example: Example) -> list[Panel]:
    if _input_in_words(example):
        return [_words_panel(example)]
    return input_panels(example, rows="")


def _words_panel(example: Example) -> Panel:
    """The words that are shown."""
    shown = _input_words(example)
    return Panel("input", "", np.zeros(shown.shape), "words", texts=shown)


def _answer_panel(examples: Mapping[str, Example]) -> Panel:
    """The words that are asked for, and below them those that each model answered."""
    first = next(iter(examples.values()))
    rows = {
        "target": (first.targets, np.zeros(len(first.targets), bool)),
        **{name: (of.answers, of.wrong.any(axis=1)) for name, of in examples.items()},
    }
    upwards = list(reversed(rows.values()))
    scored = first.scored[:, np.newaxis]
    answered = np.stack([symbols.argmax(axis=1) for symbols, _ in upwards], axis=1)
    wrong = np.stack([marks for _, marks in upwards], axis=1)
    return Panel(
        "answer",
        "",
        np.where(scored, wrong, np.nan),
        "words",
        names=tuple(reversed(rows)),
        texts=np.where(scored, _answer_names(first)[answered], ""),
    )


def _input_in_words(example: Example) -> bool:
    """Whether what is shown at each step is a word or two."""
    few = np.count_nonzero(example.inputs, axis=1) <= MOST_WORDS
    return bool(few.all() and np.isin(example.inputs, (0, 1)).all())


def _input_words(example: Example) -> Texts:
    """What is shown at each step, ``[T, 1]``."""
    names = example.input_names or tuple(map(str, range(example.inputs.shape[1])))
    return np.array([[channel_words(row, names)] for row in example.inputs])


def _answer_names(example: Example) -> Texts:
    """The word for each channel of the answer."""
    return np.array(example.output_names or tuple(map(str, range(example.targets.shape[1]))))


def _longest_word(example: Example) -> int:
    """Letters of the longest text at a step."""
    texts = list(_answer_names(example))
    if _input_in_words(example):
        texts += _input_words(example)[:, 0].tolist()
    return max(map(len, texts))
