"""Digests of every stage between a seed and a trained, tested NTM: `python -m tests.ntm.digits`.

Two machines, or two settings of one, that print the same lines compute the same digits. The first
line of a case that differs names the stage to look into.
"""

from __future__ import annotations

import dataclasses
import hashlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ntmbench import evaluate, make_model, make_task, train
from ntmbench.evaluation.scores import loss_gradient
from ntmbench.model import TensorBatch
from ntmbench.training.batches import TrainingBatches
from ntmbench.training.settings import TrainSettings


@dataclass(frozen=True)
class Case:
    """A task, an NTM, and how it is trained."""

    name: str
    task: dict[str, Any]
    model: dict[str, Any]
    batch_size: int
    steps: int
    train: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> TrainSettings:
        """Few validation sequences, three times within the training."""
        sequences = self.steps * self.batch_size
        return TrainSettings(
            sequences=sequences,
            batch_size=self.batch_size,
            validate_every=sequences // 3,
            validation_sequences=64,
            selection_sequences=32,
            **self.train,
        )


LEARNED = {
    "initial_memory": "learned",
    "initial_weighting": "learned",
    "initial_state": "learned",
}
SMALL = {"controller_size": 20, "memory_slots": 20, "word_size": 9}

#: Every kind of answer, both controllers, both optimizers, one head and several.
CASES = (
    Case("copy", {"name": "copy", "max_length": 8}, SMALL, 1, 400),
    Case(
        "copy, feedforward, learned beginnings",
        {"name": "copy", "max_length": 8},
        {"controller": "feedforward", **SMALL, **LEARNED},
        16,
        200,
        {"optimizer": "adam", "weight_average": 0.99},
    ),
    Case(
        "priority sort, two layers, four heads",
        {"name": "priority_sort", "min_length": 4, "max_length": 6, "answers": 4},
        {**SMALL, "controller_layers": 2, "read_heads": 2, "write_heads": 2, "shift_width": 5},
        16,
        150,
        {"clip_norm": 0.5, "warmup_sequences": 100},
    ),
    Case("n-grams", {"name": "ngrams", "max_length": 60, "min_length": 30}, SMALL, 1, 200),
    Case(
        "key and value, feedforward, random memory",
        {"name": "key_value"},
        {"controller": "feedforward", **SMALL, "initial_memory": "random"},
        4,
        200,
        {"clip_value": 0.1, "schedule": "linear"},
    ),
)


def digests(case: Case) -> Iterator[tuple[str, str]]:
    """The stages of a case in order, each with its digest."""
    task = make_task(**case.task)
    settings = case.settings

    def fresh(attempt: int) -> Any:
        widths = task.input_width, task.output_width
        return make_model("ntm", *widths, seed=attempt, engine="fused", **case.model)

    model = fresh(0)
    yield "initial weights", digest(model.state_dict().values())
    batch = TrainingBatches(task, settings, 0, torch.device("cpu")).at(0)
    yield "batch", digest(_tensors(batch))
    logits = model(batch.inputs)
    yield "logits", digest([logits])
    slope = loss_gradient(task.answer, logits.detach(), batch)
    yield "their gradient", digest([slope])
    logits.backward(slope)
    yield "the weights' gradients", digest(w.grad for w in model.parameters() if w.grad is not None)
    for steps in (1, 2, case.steps):
        model = fresh(0)
        some = dataclasses.replace(settings, sequences=steps * case.batch_size)
        result = train(model, task, some, device="cpu")
        yield f"weights after {steps} steps", digest(model.state_dict().values())
    curve = result.curve.drop(columns="seconds")
    yield "learning curve", " ".join(curve.to_csv(index=False).splitlines()[1:])
    tested = evaluate(model, task, sequences=64)
    yield "tests", " ".join(tested.to_csv(index=False).splitlines()[1:])


def digest(tensors: Iterable[Tensor]) -> str:
    """A digest of the bits of tensors."""
    found = hashlib.blake2b(digest_size=8)
    for tensor in tensors:
        found.update(tensor.detach().contiguous().numpy().tobytes())
    return found.hexdigest()


def _tensors(batch: TensorBatch) -> list[Tensor]:
    return [batch.inputs, batch.targets, batch.mask]


def main(threads: int) -> None:
    """Print every case and stage."""
    torch.set_num_threads(threads)
    for case in CASES:
        for stage, found in digests(case):
            print(f"{case.name} | {stage} | {found}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
