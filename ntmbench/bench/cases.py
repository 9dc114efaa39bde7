"""Cases and contenders: a task at one length with the NTM to train on it, and who trains."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import torch
from torch import nn

from ntmbench.bench.peer import Peer, Sizes
from ntmbench.data.randomness import RandomWords, Stream
from ntmbench.model import TensorBatch
from ntmbench.ntm.settings import NTMSettings
from ntmbench.registry import engines_of, make_model, make_task
from ntmbench.task import Batch, Task
from ntmbench.training.gradient import backward

#: One training step without the optimizer: forward, the loss's gradient, backward.
Step = Callable[[], None]

ENGINES = tuple(engine.name for engine in engines_of("ntm"))
BASELINES = ("lstm", "seq2seq")
PEER = "peer"


@dataclass(frozen=True)
class Case:
    """A task at one length, and the settings of the NTM (both engines and the peer)."""

    name: str
    task_name: str
    length: int
    ntm: NTMSettings = field(default_factory=NTMSettings)

    @cached_property
    def task(self) -> Task:
        """The task with its default settings."""
        return make_task(self.task_name)

    def batch(self, batch_size: int) -> Batch:
        """The same sequences at every call."""
        words = RandomWords(Stream.TRAINING, batch_size)
        return self.task.draw(words, batch_size, self.length, test=True)

    @property
    def steps(self) -> int:
        """Steps of a sequence, T."""
        return len(self.batch(1).inputs)


CASES = {
    case.name: case
    for case in (
        Case("copy-20", "copy", 20),
        Case("copy-120", "copy", 120),
        Case("recall-6", "recall", 6),
        # The heads and the controller of the paper's table 2.
        Case(
            "priority_sort-20",
            "priority_sort",
            20,
            NTMSettings(read_heads=5, write_heads=5, controller_layers=2),
        ),
    )
}


class Trainee(Protocol):
    """Whoever can train on a case."""

    @property
    def name(self) -> str:
        """What tables and messages call it."""

    def step(self, case: Case, batch: Batch) -> Step:
        """A training step on ``batch``, as in ``ntmbench.training``, with weights of its own."""


@dataclass(frozen=True)
class Contender:
    """One who trains on a case: an engine of the NTM, a baseline, or a peer of the NTM."""

    name: str
    peer: Peer | None = None

    def step(self, case: Case, batch: Batch) -> Step:
        """A training step on ``batch``, as in ``ntmbench.training``, with weights of its own."""
        tensors = TensorBatch.of(batch, torch.device("cpu"))
        if self.peer is not None:
            return peer_step(self.peer, case.ntm, case.task, tensors)
        return training_step(self.model(case), case.task, tensors)

    def model(self, case: Case) -> nn.Module:
        """The model of an engine or a baseline; baselines have their default sizes."""
        widths = case.task.input_width, case.task.output_width
        if self.name in ENGINES:
            settings = dataclasses.replace(case.ntm, engine=self.name)
            return make_model("ntm", *widths, **dataclasses.asdict(settings))
        return make_model(self.name, *widths)


def contenders(peers: Sequence[Peer]) -> list[Contender]:
    """Both engines, the baselines and, of ``peers``, that of the NTM if it is among them."""
    ours = [Contender(name) for name in (*ENGINES, *BASELINES)]
    return [*ours, *(Contender(PEER, peer) for peer in peers if peer.beside == "ntm")]


def peer_step(peer: Peer, settings: Any, task: Task, batch: TensorBatch) -> Step:
    """A training step of a peer with the sizes of our model's ``settings``.

    Raises:
        PeerError: if it cannot be built. The step raises it too, if it cannot be run.
    """
    steps = len(batch.inputs)
    module = peer.made(settings, Sizes(task.input_width, task.output_width, steps))
    taken = training_step(module, task, batch)

    def step() -> None:
        with peer.reported():
            taken()

    return step


def training_step(model: nn.Module, task: Task, batch: TensorBatch) -> Step:
    """Forward, the gradient of the loss in nats per scored answer, and backward, of any module.

    The loss itself is left out: the training loop needs it for its log, not for the gradient.
    """
    weights = list(model.parameters())

    def step() -> None:
        for weight in weights:
            weight.grad = None
        backward(model, task, batch)

    return step
