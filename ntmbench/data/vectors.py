"""Tasks on vectors of bits: what their channels have in common."""

from __future__ import annotations

from typing import ClassVar

from ntmbench.answer import Bits
from ntmbench.task import Task


class VectorTask(Task):
    """A task that shows vectors of ``bits`` bits, and asks for such vectors.

    The first channels of the input are the vector's.
    """

    bits: int
    #: What the channels of the input after those of the vector are called.
    further_channels: ClassVar[tuple[str, ...]] = ("delimiter",)

    @property
    def input_width(self) -> int:
        """The vector and the further channels."""
        return self.bits + len(self.further_channels)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The numbers of the bits, and the further channels."""
        return (*map(str, range(self.bits)), *self.further_channels)

    @property
    def answer(self) -> Bits:
        """The vector."""
        return Bits(self.bits)
