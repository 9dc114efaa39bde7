"""What the NTM's memory did at every step."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ntmbench.provenance import erase_and_add
from ntmbench.trace import Addressing, Panel, Signal, Trace

#: The further axes of each signal: heads, slots, numbers of a slot, shifts. Read heads come first.
AXES = {
    "read_weightings": ("read head", "slot"),
    "write_weightings": ("write head", "slot"),
    "reads": ("read head", "word element"),
    "erases": ("write head", "word element"),
    "adds": ("write head", "word element"),
    "memory": ("slot", "word element"),
    "key_strength": ("head",),
    "interpolation_gate": ("head",),
    "shift": ("head", "shift"),
    "sharpening": ("head",),
}
#: The panels, after figure 6 of Graves et al. (2014): what is written and read, and below it where.
PANELS = (
    Panel("adds", "adds", "signed"),
    Panel("reads", "reads", "signed"),
    Panel("write_weightings", "write weightings", "weights", circular=True),
    Panel("read_weightings", "read weightings", "weights", circular=True),
)
#: Where the heads are; the shift goes round the end.
ADDRESSING = (
    Addressing("write_weightings", "write", circular=True),
    Addressing("read_weightings", "read", circular=True),
)


@dataclass(frozen=True)
class NTMTrace:
    """What the external memory did at every step of T, for B sequences.

    R read and W write heads, N slots of M numbers, S allowed shifts (odd, centred on no shift).
    Along H = R + W, the read heads come first and then the write heads.
    """

    logits: Tensor  # [T, B, out]
    read_weightings: Tensor  # [T, B, R, N]
    write_weightings: Tensor  # [T, B, W, N]
    reads: Tensor  # [T, B, R, M]
    erases: Tensor  # [T, B, W, M]
    adds: Tensor  # [T, B, W, M]
    memory: Tensor  # [T, B, N, M], after the step's writes
    key_strength: Tensor  # [T, B, H]
    interpolation_gate: Tensor  # [T, B, H]
    shift: Tensor  # [T, B, H, S]
    sharpening: Tensor  # [T, B, H]

    def named(self, first_memory: Tensor) -> Trace:
        """The same as named signals, with the panels to draw.

        ``first_memory [N, M]`` is the memory before the first step.
        """
        signals = {name: Signal(getattr(self, name), axes) for name, axes in AXES.items()}

        def provenance() -> Tensor:
            return erase_and_add(
                reads=self.read_weightings,
                writes=self.write_weightings,
                erases=self.erases,
                adds=self.adds,
                first_memory=first_memory,
                reads_first=True,
            )

        return Trace(self.logits, signals, PANELS, provenance, addressing=ADDRESSING)
