"""The registered models at one number of parameters, and the peers that are timed beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ntmbench.bench.cases import Case, Step, peer_step, training_step
from ntmbench.bench.operations import counted_operations
from ntmbench.bench.peer import Peer, Sizes
from ntmbench.errors import ModelError
from ntmbench.model import SequenceModel, TensorBatch
from ntmbench.registry import make_model, model_entry, model_names
from ntmbench.runs.budget import Budget, with_width
from ntmbench.task import Batch, Task

#: Parameters of every model, at most: each is as wide as they allow.
PARAMETERS = 40_000


def contestant_names() -> list[str]:
    """All registered models that have a width, but the controls; those of plug-ins too."""
    entries = {name: model_entry(name) for name in model_names()}
    return [n for n, entry in entries.items() if not entry.control and entry.width is not None]


@dataclass(frozen=True)
class Contestant:
    """A model with its default settings but for the width, or a peer with the sizes of the model.

    ``model`` is the name of ours in both cases.
    """

    model: str
    settings: dict[str, Any]
    peer: Peer | None = None

    @property
    def name(self) -> str:
        """The model, and for a peer whose code it is."""
        return self.model if self.peer is None else f"{self.model} of {self.peer.name}"

    @property
    def width(self) -> int:
        """The setting that was found."""
        return int(self.settings[str(model_entry(self.model).width)])

    def made(self, task: Task, steps: int) -> nn.Module:
        """The module for sequences of so many steps."""
        if self.peer is None:
            return make_model(self.model, task.input_width, task.output_width, **self.settings)
        sizes = Sizes(task.input_width, task.output_width, steps)
        return self.peer.made(self._dataclass(), sizes)

    def step(self, case: Case, batch: Batch) -> Step:
        """A training step on ``batch``, as in ``ntmbench.training``, with weights of its own."""
        tensors = TensorBatch.of(batch, torch.device("cpu"))
        if self.peer is not None:
            return peer_step(self.peer, self._dataclass(), case.task, tensors)
        module = self.made(case.task, case.steps)
        if isinstance(module, SequenceModel):
            module.prepare(case.task)
        return training_step(module, case.task, tensors)

    def operations(self, case: Case, batch_size: int) -> int:
        """Multiplications and additions of our model's training step; see ``bench.operations``.

        Raises:
            ModelError: for a model that cannot run on the device meta, as all models must.
        """
        try:
            with torch.device("meta"):
                module = self.made(case.task, case.steps)
            return counted_operations(module, case.task, case.batch(batch_size))
        except (RuntimeError, NotImplementedError) as error:
            reason = " ".join(str(error).split())
            raise ModelError(
                f"model={self.model} cannot run on PyTorch's device meta, where its operations are "
                f"counted: {reason}"
            ) from error

    def _dataclass(self) -> Any:
        return model_entry(self.model).settings(**self.settings)


def contestants(names: Sequence[str], task: Task, peers: Sequence[Peer]) -> list[Contestant]:
    """The models of these names, each as wide as PARAMETERS allow and followed by its peers.

    Raises:
        UserError: for a model that has more parameters at a width of 1.
    """
    found = []
    for name in names:
        width = model_entry(name).width
        settings = with_width(name, {str(width): 0}, task, Budget(PARAMETERS))
        found.append(Contestant(name, settings))
        found += [Contestant(name, settings, peer) for peer in peers if peer.beside == name]
    return found
