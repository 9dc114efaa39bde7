"""How a model is trained."""

from __future__ import annotations

from dataclasses import dataclass, field

from ntmbench.data.lengths import MAX_SEQUENCES
from ntmbench.data.ranges import Choice, LogRange, Range, searched
from ntmbench.errors import SettingError, check_choice, check_range, check_types

OPTIMIZERS = ("rmsprop", "adam")
DEVICES = ("auto", "cpu", "cuda")
SCHEDULES = ("constant", "linear", "cosine")

# Larger numbers are taken for typing errors. They would exhaust the memory of most machines.
MAX_BATCH_SIZE = 2**14


@dataclass(frozen=True)
class TrainSettings:
    """How a model is trained; every field can change the numbers."""

    #: All training sequences. Budgets are counted in sequences, whatever the batch size.
    sequences: int = 50_000
    #: Sequences of one length that share a step of the optimizer.
    batch_size: int = field(default=4, metadata=searched(Choice((1, 2, 4, 8, 16, 32, 64))))
    #: rmsprop (centered, as in the NTM paper) or adam.
    optimizer: str = "rmsprop"
    #: Step size at the start.
    learning_rate: float = field(default=5e-4, metadata=searched(LogRange(1e-4, 3e-2)))
    #: constant, linear or cosine; the last two fall to ``final_learning_rate``.
    schedule: str = "cosine"
    #: Share of the learning rate that is left at the end of a falling schedule.
    final_learning_rate: float = 0.01
    #: Sequences over which the learning rate rises from zero.
    warmup_sequences: int = 0
    #: Momentum of rmsprop; the first beta of adam.
    momentum: float = field(default=0.9, metadata=searched(Range(0.5, 0.95)))
    #: Decay of the squared gradients' mean: alpha of rmsprop, the second beta of adam.
    smoothing: float = 0.95
    #: Added to the root of the squared gradients' mean.
    epsilon: float = 1e-4
    #: The gradient's norm is clipped at this; 0 does not clip it.
    clip_norm: float = field(default=10.0, metadata=searched(Choice((0.0, 1.0, 10.0))))
    #: Each number of the gradient is clipped to +- this before, as in the paper; 0 does not clip.
    clip_value: float = 0.0
    #: The sequences are divided among so many attempts, each from other initial weights and with a
    #: schedule of its own. Training ends with the first attempt after which the selected weights
    #: make no mistake on the validation data, those beyond the training lengths included. An
    #: attempt that diverges ends, and forfeits the rest of its sequences.
    attempts: int = 1
    #: Decay per step of the weights' running average. With one, the average is validated and
    #: selected; 0 keeps none.
    weight_average: float = field(default=0.0, metadata=searched(Choice((0.0, 0.99, 0.999))))
    #: Sequences between two validations, each a row of the learning curve.
    validate_every: int = 1_000
    #: Validation sequences with the lengths of training (the learning curve).
    validation_sequences: int = 640
    #: Validation sequences of each of the task's selection lengths.
    selection_sequences: int = 128
    #: The run ends as diverged after this many steps in a row without finite loss and gradient.
    patience: int = 20

    def __post_init__(self) -> None:
        """Check types, names and ranges."""
        check_types("train", type(self), vars(self))
        check_range("train.sequences", self.sequences, 1)
        check_range("train.batch_size", self.batch_size, 1, MAX_BATCH_SIZE)
        check_choice("train.optimizer", self.optimizer, OPTIMIZERS)
        check_range("train.learning_rate", self.learning_rate, above=0.0)
        check_choice("train.schedule", self.schedule, SCHEDULES)
        check_range("train.final_learning_rate", self.final_learning_rate, 0, 1)
        check_range("train.warmup_sequences", self.warmup_sequences, 0)
        check_range("train.momentum", self.momentum, 0, 0.9999)
        check_range("train.smoothing", self.smoothing, 0, 0.99999)
        check_range("train.epsilon", self.epsilon, above=0.0)
        check_range("train.clip_norm", self.clip_norm, 0)
        check_range("train.clip_value", self.clip_value, 0)
        check_range("train.attempts", self.attempts, 1)
        if self.attempts > self.steps:
            raise SettingError(
                f"train.attempts={self.attempts} is more than there are steps of the optimizer "
                f"(train.sequences / train.batch_size): {self.steps}. Allowed: 1 to {self.steps}."
            )
        check_range("train.weight_average", self.weight_average, 0, 0.99999)
        check_range("train.validate_every", self.validate_every, 1)
        check_range("train.validation_sequences", self.validation_sequences, 1, MAX_SEQUENCES)
        check_range("train.selection_sequences", self.selection_sequences, 1, MAX_SEQUENCES)
        check_range("train.patience", self.patience, 1)

    @property
    def steps(self) -> int:
        """Optimizer steps that use up the sequences."""
        return -(-self.sequences // self.batch_size)

    @property
    def validation_interval(self) -> int:
        """Optimizer steps from one validation to the next."""
        return -(-self.validate_every // self.batch_size)

    def attempt_at(self, step: int) -> int:
        """The attempt that a step belongs to, both counted from 0; they are alike in length."""
        return ((step + 1) * self.attempts - 1) // self.steps

    def attempt_start(self, attempt: int) -> int:
        """The first step of an attempt; of the one after the last, the number of steps."""
        return self.steps * attempt // self.attempts

    @property
    def attempt_steps(self) -> int:
        """Steps of the longest attempt."""
        return -(-self.steps // self.attempts)
