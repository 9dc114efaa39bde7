"""One sequence and a model's answer to it, as plain arrays, and the panels that show them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from ntmbench.answer import Kind
from ntmbench.plotting.ntm import ntm_panels
from ntmbench.plotting.panels import FloatArray, Panel, Scale, unpack_panels

#: What is counted, by kind.
COUNTED = {"bits": "bits", "symbols": "symbols", "reals": "numbers"}

#: An NTM's arrays in the ``example.npz`` of earlier versions, in the order of ``ntm_panels``.
NTM_ARRAYS = ("adds", "reads", "write_weightings", "read_weightings")


@dataclass(frozen=True)
class Example:
    """A model's answer to one sequence of T steps.

    Attributes:
        inputs: ``[T, in]``.
        targets: ``[T, out]``: bits, one-hot symbols or numbers.
        answers: ``[T, out]``: the probabilities of bits or symbols, or numbers.
        scored: ``[T]``, where the answer counts.
        wrong: ``[T, out]``, the scored bits or numbers that are wrong. A wrong symbol has one
            channel here: the one that was answered in its place.
        kind: how the channels of targets and answers are read.
        input_names: what the input's channels are called; by default their numbers.
        output_names: what the answer's channels are called.
    """

    inputs: FloatArray
    targets: FloatArray
    answers: FloatArray
    scored: NDArray[np.bool_]
    wrong: NDArray[np.bool_]
    kind: Kind = "bits"
    input_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()

    @property
    def answer_start(self) -> int:
        """The first scored step."""
        return int(self.scored.argmax())

    @property
    def rows(self) -> str:
        """What a channel of the answer is, in the singular."""
        return "symbol" if self.kind == "symbols" else "channel"

    @property
    def counted(self) -> int:
        """How many bits, symbols or numbers of the answer count."""
        each = 1 if self.kind == "symbols" else self.targets.shape[1]
        return int(self.scored.sum()) * each

    @property
    def verdict(self) -> str:
        """``2 of 160 bits wrong``."""
        return f"{self.wrong.sum():,} of {self.counted:,} {COUNTED[self.kind]} wrong"


def make_example(
    inputs: FloatArray,
    targets: FloatArray,
    answers: FloatArray,
    scored: NDArray[np.bool_],
    *,
    kind: Kind = "bits",
    tolerance: float = 0.0,
    input_names: tuple[str, ...] = (),
    output_names: tuple[str, ...] = (),
) -> Example:
    """The example of these arrays, with what is wrong in it; see ``Example``.

    A bit is wrong on the other side of one half, a symbol if another one is more probable, and a
    number if it is off by more than the ``tolerance``.

    Raises:
        ValueError: if the kind is not one.
    """
    if kind == "bits":
        wrong = (answers > 0.5) != (targets > 0.5)
    elif kind == "symbols":
        answered, asked = answers.argmax(axis=1), targets.argmax(axis=1)  # [T]
        channels = np.arange(targets.shape[1])
        wrong = (channels == answered[:, np.newaxis]) & (answered != asked)[:, np.newaxis]
    elif kind == "reals":
        wrong = ~(np.abs(answers - targets) <= tolerance)
    else:
        raise ValueError(f"kind={kind!r}. Allowed: {', '.join(get_args(Kind))}.")
    wrong &= scored[:, np.newaxis]
    return Example(inputs, targets, answers, scored, wrong, kind, input_names, output_names)


def read_example(path: Path, content: bytes | None = None) -> tuple[int, Example, list[Panel]]:
    """The length of the sequence in an ``example.npz``, its answer, and the memory's panels.

    Without a memory there is no panel. ``content`` is that of the file where it lies elsewhere,
    such as in an archive; ``path`` is then but its name.

    Raises:
        OSError, ValueError: if the file cannot be read or does not hold an example.
    """
    try:
        with np.load(path if content is None else io.BytesIO(content), allow_pickle=False) as file:
            arrays = dict(file)
        return int(arrays["length"]), _example_of(arrays), _panels_of(arrays)
    except (KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} does not hold an example: {error}") from error


def _example_of(arrays: Mapping[str, NDArray[Any]]) -> Example:
    """Without a kind the answer is one of bits; names and tolerance may be missing too."""
    kind: Any = str(arrays.get("kind", "bits"))
    inputs, targets, answers = (
        arrays[name].astype(np.float32) for name in ("inputs", "targets", "probabilities")
    )
    return make_example(
        inputs,
        targets,
        answers,
        arrays["mask"] > 0,
        kind=kind,
        tolerance=float(arrays.get("tolerance", 0.0)),
        input_names=tuple(map(str, arrays.get("input_names", ()))),
        output_names=tuple(map(str, arrays.get("output_names", ()))),
    )


def _panels_of(arrays: Mapping[str, NDArray[Any]]) -> list[Panel]:
    if "panels" in arrays:
        return unpack_panels(arrays)
    if not all(name in arrays for name in NTM_ARRAYS):
        return []
    return ntm_panels(*(arrays[name].astype(np.float32) for name in NTM_ARRAYS))


def input_panels(example: Example, title: str = "input", rows: str = "channel") -> list[Panel]:
    """The input's channels; those with other numbers than 0 and 1 have a panel of their own."""
    inputs = example.inputs
    names = example.input_names or tuple(str(channel) for channel in range(inputs.shape[1]))
    bits = np.all(np.isin(inputs, (0, 1)), axis=0, keepdims=True)[0]  # [in]
    parts: tuple[tuple[str, NDArray[np.bool_], Scale], ...] = (
        (title, bits, "unit"),
        (f"{title}, numbers" if bits.any() else title, ~bits, "signed"),
    )
    return [
        Panel(
            told,
            rows,
            inputs[:, channels],
            scale,
            names=tuple(name for name, shown in zip(names, channels, strict=True) if shown),
        )
        for told, channels, scale in parts
        if channels.any()
    ]


def target_panel(example: Example, title: str = "target", rows: str = "") -> Panel:
    """What was to be answered."""
    return _answer_panel(example, example.targets, title, rows)


def answer_panel(
    example: Example, title: str = "output", rows: str = "", *, crossed: bool = True
) -> Panel:
    """What was answered: probabilities or numbers, with crosses where they are wrong."""
    crosses = example.wrong if crossed else None
    return _answer_panel(example, example.answers, title, rows, crosses)


def error_panel(example: Example, title: str = "|error|", rows: str = "") -> Panel:
    """How far the answer's channels are from their targets."""
    error = _where_scored(example, np.abs(example.answers - example.targets))
    largest = float(np.nanmax(error, initial=1e-6)) if example.kind == "reals" else 1.0
    return Panel(title, rows, error, "error", largest, example.output_names, crosses=example.wrong)


def _answer_panel(
    example: Example,
    values: FloatArray,
    title: str,
    rows: str,
    crosses: NDArray[np.bool_] | None = None,
) -> Panel:
    shown, limit = _where_scored(example, values), None
    if example.kind == "reals":  # the same colours for targets and answers
        limit = max(float(np.abs(example.targets[example.scored]).max(initial=0)), 1e-6)
    return Panel(
        title,
        rows,
        shown,
        "signed" if example.kind == "reals" else "unit",
        limit,
        example.output_names,
        crosses=crosses,
    )


def _where_scored(example: Example, values: FloatArray) -> FloatArray:
    """``values [T, channels]`` with NaN at steps that are not scored."""
    return np.where(example.scored[:, np.newaxis], values, np.nan)
