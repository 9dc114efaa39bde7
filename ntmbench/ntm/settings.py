"""Settings of the Neural Turing Machine: plain values, importable without PyTorch."""

from __future__ import annotations

from dataclasses import dataclass, field

import ntmbench.ntm.engines  # noqa: F401 (registers them)
from ntmbench.data.ranges import Choice, LogRange, searched
from ntmbench.engine.contract import AUTO, engine_names
from ntmbench.errors import (
    MAX_LAYERS,
    MAX_SIZE,
    SettingError,
    check_choice,
    check_range,
    check_whole,
)
from ntmbench.registry import engines_of

CONTROLLERS = ("lstm", "gru", "rnn", "feedforward")
INITIAL_MEMORIES = ("constant", "learned", "code", "random")
INITIAL_WEIGHTINGS = ("one_hot", "uniform", "learned")
INITIAL_STATES = ("zeros", "learned")
# Larger numbers are taken for typing errors, like those above MAX_SIZE.
MAX_SLOTS = 2**20
MAX_HEADS = 256
MAX_SHIFT_WIDTH = 1023


@dataclass(frozen=True)
class NTMSettings:
    """Settings of the NTM; the defaults are the paper's sizes for copy.

    Raises:
        SettingError: for a value that is not allowed, naming it as on the command line.
    """

    #: Kind of controller: lstm, gru, rnn or feedforward (tanh units).
    controller: str = "lstm"
    #: Factor on the controller's initial weights for the input. With more than 1 a machine tells
    #: near numbers apart from the start.
    input_gain: float = field(default=1.0, metadata={"added_later": True})
    #: Units in each layer of the controller.
    controller_size: int = 100
    #: Stacked layers of the controller.
    controller_layers: int = 1
    #: Memory slots, N.
    memory_slots: int = field(default=128, metadata=searched(LogRange(16, 128)))
    #: Numbers in one slot, M.
    word_size: int = field(default=20, metadata=searched(LogRange(8, 32)))
    #: Numbers of a slot, the first ones, that content addressing compares with a key; 0 for all.
    #: The others are carried along, like the values of a key-value memory (Miller et al. 2016).
    key_size: int = field(default=0, metadata={"added_later": True})
    #: Read heads.
    read_heads: int = field(default=1, metadata=searched(Choice((1, 2, 4))))
    #: Write heads.
    write_heads: int = 1
    #: Whether each write head stands where the read head of the same number does, so that it
    #: changes what is being read. In the paper a head either reads or writes.
    shared_heads: bool = field(default=False, metadata={"added_later": True})
    #: Write heads, the first ones, that begin by moving on by one slot at each step, so that what
    #: comes is stored in a row: by the biases of their interpolation gates and shifts, which are
    #: learned from there. Those of others begin at zero, and where they first write is chance.
    row_heads: int = field(default=0, metadata={"added_later": True})
    #: Allowed shifts of a weighting, odd and centred on no shift: 3 allows -1, 0 and +1.
    shift_width: int = field(default=3, metadata=searched(Choice((3, 5, 7))))
    #: Memory before the first step: one constant, learned, code (learned too, from rows of which
    #: neighbours are alike; a memory of another size has rows between them), or random, drawn once
    #: with the weights.
    initial_memory: str = field(
        default="constant", metadata=searched(Choice(("constant", "learned")))
    )
    #: The constant that fills the memory where initial_memory is constant.
    initial_memory_value: float = 1e-6
    #: Weightings before the first step: one_hot on slot 0, uniform, or learned. With uniform,
    #: nothing tells the slots of a constant memory apart, so that they work like a single one.
    initial_weighting: str = "one_hot"
    #: Controller state and read vectors before the first step: zeros or learned.
    initial_state: str = "zeros"
    #: What computes it: fused (on a CPU, with an lstm or feedforward controller), eager, or auto
    #: for the faster one that can. It does not change the results beyond rounding.
    engine: str = field(default=AUTO, metadata={"identity": False})

    def __post_init__(self) -> None:
        """Check every value."""
        check_choice("model.controller", self.controller, CONTROLLERS)
        check_range("model.input_gain", self.input_gain, high=1e6, above=0.0)
        check_whole("model.controller_size", self.controller_size, 1, MAX_SIZE)
        check_whole("model.controller_layers", self.controller_layers, 1, MAX_LAYERS)
        check_whole("model.memory_slots", self.memory_slots, 2, MAX_SLOTS)
        check_whole("model.word_size", self.word_size, 1, MAX_SIZE)
        check_whole("model.key_size", self.key_size, 0, self.word_size)
        check_whole("model.read_heads", self.read_heads, 1, MAX_HEADS)
        check_whole("model.write_heads", self.write_heads, 1, MAX_HEADS)
        if self.shared_heads and self.write_heads > self.read_heads:
            raise SettingError(
                f"model.shared_heads=true needs a read head for each of "
                f"model.write_heads={self.write_heads}, and model.read_heads={self.read_heads}. "
                f"Allowed: {self.write_heads} or more read heads."
            )
        check_whole("model.shift_width", self.shift_width, 1, MAX_SHIFT_WIDTH)
        if self.shift_width % 2 == 0:
            raise SettingError(
                f"model.shift_width={self.shift_width} is even. Allowed: 1, 3, 5 and so on."
            )
        check_whole("model.row_heads", self.row_heads, 0, self.write_heads)
        if self.row_heads and self.shift_width < 3:
            raise SettingError(
                f"model.row_heads={self.row_heads} needs a shift by one slot, which "
                f"model.shift_width={self.shift_width} does not allow. Allowed: 3, 5 and so on, or "
                "model.row_heads=0."
            )
        check_choice("model.initial_memory", self.initial_memory, INITIAL_MEMORIES)
        check_range("model.initial_memory_value", self.initial_memory_value, -1e6, 1e6)
        check_choice("model.initial_weighting", self.initial_weighting, INITIAL_WEIGHTINGS)
        check_choice("model.initial_state", self.initial_state, INITIAL_STATES)
        check_choice("model.engine", self.engine, engine_names(engines_of("ntm")))

    @property
    def compared(self) -> int:
        """Numbers of a slot that are compared with a key, K."""
        return self.key_size or self.word_size

    @property
    def heads(self) -> int:
        """All heads, H: the read heads and then the write heads, unless these share them."""
        return self.read_heads + (0 if self.shared_heads else self.write_heads)

    @property
    def first_write(self) -> int:
        """The place of the first write head among all heads."""
        return 0 if self.shared_heads else self.read_heads
