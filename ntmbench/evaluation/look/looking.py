"""A model on validation data, looked into."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from torch import Tensor, nn

from ntmbench.data.lengths import MAX_LENGTH, MAX_SEQUENCES
from ntmbench.errors import check_whole
from ntmbench.evaluation.answering import device_of, enough_memory, evaluating
from ntmbench.evaluation.grid import for_each_chunk
from ntmbench.evaluation.look.answers import answers_table
from ntmbench.evaluation.look.bins import binned_errors
from ntmbench.evaluation.look.heads import heads_table
from ntmbench.evaluation.look.places import COLUMNS, places_table
from ntmbench.model import SequenceModel, TensorBatch
from ntmbench.task import Batch, Task

# Sequences of a length: at most so many, and fewer if they are long, so that a look stays cheap.
SEQUENCES, LEAST_SEQUENCES, STEPS = 256, 8, 2**15
# A trace takes longer than an answer, and keeps the memory of every step: one sequence of so many
# is traced, in chunks of at most so many sequences and of so many slots over all steps.
TRACED, TRACED_TOGETHER, TRACED_SLOTS = 4, 16, 2**19


@dataclass(frozen=True)
class Look:
    """What a look found.

    Attributes:
        answers: a row for each answer, see ``answers_table``, with its ``length``.
        places: a row for each head and step, see ``places_table``, with its ``length``; empty for a
            model whose trace does not tell where it reads and writes.
    """

    answers: pd.DataFrame
    places: pd.DataFrame

    @property
    def errors(self) -> pd.DataFrame:
        """The answers' errors in bins, as in ``look.csv``."""
        return binned_errors(self.answers)

    @property
    def heads(self) -> pd.DataFrame:
        """How the heads were used, as in ``heads.csv``."""
        return heads_table(self.places)


def look_into(
    model: nn.Module,
    task: Task,
    *,
    lengths: Sequence[int] | None = None,
    sequences: int | None = None,
) -> Look:
    """Look into a model on validation data, with its memory enlarged if a length outgrows it.

    ``lengths`` are by default the longest of training and the next one at which weights are
    selected. No test data is used.

    Raises:
        SettingError: for a length or a number of sequences that is out of range.
    """
    if sequences is not None:
        check_whole("sequences", sequences, 1, MAX_SEQUENCES)
    if isinstance(model, SequenceModel):
        model.prepare(task)
    answers, places = [], []
    for length in lengths_of_look(task) if lengths is None else lengths:
        check_whole("length", length, task.shortest_length, MAX_LENGTH)
        batch = task.selection_set(length, sequences or _sequences(task, length))
        answers.append(_answers(model, task, batch, length).assign(length=length))
        traced = batch[: -(-batch.size // TRACED)]
        places += [part.assign(length=length) for part in _places(model, task, traced, length)]
    nowhere = pd.DataFrame(columns=[*COLUMNS, "length"])
    return Look(
        pd.concat(answers, ignore_index=True),
        pd.concat(places, ignore_index=True) if places else nowhere,
    )


def lengths_of_look(task: Task) -> list[int]:
    """The longest training length, and the first of ``selection_lengths`` beyond it."""
    longest = task.length_range[1]
    return [longest, *[length for length in task.selection_lengths if length > longest][:1]]


def _sequences(task: Task, length: int) -> int:
    steps = len(task.selection_set(length, 1).inputs)
    return min(SEQUENCES, max(LEAST_SEQUENCES, STEPS // steps))


def _answers(model: nn.Module, task: Task, batch: Batch, length: int) -> pd.DataFrame:
    def errors_of(logits: Tensor, chunk: TensorBatch) -> Tensor:
        return task.answer.errors(logits, chunk.targets)

    with enough_memory(model, task.demand(length)) as slots:
        errors = [found.cpu().numpy() for found in for_each_chunk(model, batch, slots, errors_of)]
    return answers_table(task, batch, np.concatenate(errors, axis=1))


def _places(model: nn.Module, task: Task, batch: Batch, length: int) -> Iterator[pd.DataFrame]:
    """Where the heads were in each chunk of a batch; nothing for a model without a trace."""
    if not isinstance(model, SequenceModel):
        return
    device = device_of(model)
    with evaluating(model), enough_memory(model, task.demand(length)) as slots:
        together = TRACED_SLOTS // (len(batch.inputs) * (slots or 1))
        size = max(1, min(TRACED_TOGETHER, together))
        for start in range(0, batch.size, size):
            chunk = batch[start : start + size]
            shown = TensorBatch.of(chunk, device)
            trace = model.trace_answer(shown.inputs, shown.answer_start)
            if trace is None:
                return
            places = places_table(task, chunk, trace)
            yield places.assign(sequence=places["sequence"] + start)
