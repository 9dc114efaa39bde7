"""Trace: what a model did at every step, as named signals with named axes.

Nothing in it belongs to one kind of memory. A model says which signals it has, and which of them
it wants drawn, and how.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # a command that trains nothing loads no PyTorch
    from torch import Tensor

#: What a panel's colours stand for: weights from 0 to 1, most of them 0; numbers from 0 to 1; or
#: numbers of either sign.
Scale = Literal["weights", "unit", "signed"]


@dataclass(frozen=True)
class Signal:
    """One quantity over all steps.

    Attributes:
        values: ``[T, B, ...]``.
        axes: names of the further axes, as ``("head", "slot")`` for ``[T, B, H, N]``.
    """

    values: Tensor
    axes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that every further axis has a name."""
        if self.values.ndim != 2 + len(self.axes):
            raise ValueError(
                f"A signal of shape {list(self.values.shape)} has {self.values.ndim - 2} axes "
                f"beyond steps and sequences, and {len(self.axes)} names: {self.axes}."
            )


@dataclass(frozen=True)
class Panel:
    """A signal drawn over the steps, with one strip for each index of all axes but the last.

    Attributes:
        signal: its name in the trace.
        title: what the strip shows, in the words of a reader.
        scale: what its colours stand for.
        circular: whether the last axis is a ring, so that its end is next to its start.
    """

    signal: str
    title: str
    scale: Scale = "signed"
    circular: bool = False


@dataclass(frozen=True)
class Addressing:
    """A signal ``[T, B, heads, places]`` that tells where in its memory a model reads or writes.

    Each weighting is positive and adds up to 1 at most.

    Attributes:
        signal: its name in the trace.
        does: what the heads do there.
        circular: whether the places are a ring, so that the last is next to the first.
    """

    signal: str
    does: Literal["read", "write"]
    circular: bool = False


@dataclass(frozen=True)
class Trace:
    """What a model did at each of T steps, for B sequences.

    Attributes:
        logits: ``[T, B, out]``.
        signals: by name.
        panels: what the model wants drawn, from top to bottom.
        find_provenance: computes ``provenance`` when it is first asked for, since it takes longer
            than all else; None if it is not known.
        addressing: the signals that tell where the model reads and writes; empty for a model whose
            memory has no places.
    """

    logits: Tensor
    signals: Mapping[str, Signal] = field(default_factory=dict)
    panels: tuple[Panel, ...] = ()
    find_provenance: Callable[[], Tensor] | None = None
    addressing: tuple[Addressing, ...] = ()

    def __post_init__(self) -> None:
        """Check that every panel and every addressing has its signal."""
        for addressing in self.addressing:
            if len(self.signals[addressing.signal].axes) != 2:
                raise ValueError(
                    f"The {addressing.does} heads have the signal '{addressing.signal}' with the "
                    f"axes {self.signals[addressing.signal].axes}. Allowed: heads and places."
                )
        for panel in self.panels:
            if panel.signal not in self.signals:
                raise ValueError(
                    f"Panel '{panel.title}' draws the signal '{panel.signal}'. "
                    f"Signals of this trace: {', '.join(self.signals)}."
                )

    @cached_property
    def provenance(self) -> Tensor | None:
        """``[T, B, T]``: of what was read at a step, the share that each earlier step wrote.

        None if that is not known.
        """
        return None if self.find_provenance is None else self.find_provenance()

    def __getitem__(self, name: str) -> Tensor:
        """The values ``[T, B, ...]`` of a signal."""
        return self.signals[name].values
