"""The multiplications and additions of any model, counted while it runs without numbers.

A model runs once forward on PyTorch's ``meta`` device, where no compiled kernel can run: the
operations are those of its eager form. Counted are matrix products and convolutions, where a
multiplication and an addition count as two, and each number of a product, sum or difference of
tensors as one. Not counted are operations in place, divisions, roots, exponentials, sums over an
axis, normalisations, and what an operation of PyTorch does beside its matrix products, such as the
bias of a linear map or the gates of ``nn.LSTM``. A backward pass costs two forward ones, as in
``bench.floor``.

The count is that of the equations as they are written in PyTorch. An engine may need a little less:
causal attention is counted with the half that the mask hides, 1 - x as a subtraction, and backward
with the gradient of the inputs, which nobody asks for. So a good engine may be below this floor.
For the NTM the count is 6 % above that of ``bench.floor``, by hand. That of the DNC has some 10 %
for taking out the diagonal of its links; those of stack and tape go over empty cells too.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ntmbench.bench.floor import PASSES
from ntmbench.evaluation.answering import answer
from ntmbench.model import SequenceModel, TensorBatch
from ntmbench.task import Batch, Task


def counted_operations(model: nn.Module, task: Task, batch: Batch) -> int:
    """Multiplications and additions of forward and backward; ``model`` is on the device meta."""
    if isinstance(model, SequenceModel):
        model.prepare(task)
    tensors = TensorBatch.of(batch, torch.device("meta"))
    counter = FlopCounterMode(display=False, custom_mapping=ELEMENTWISE)
    with counter, torch.no_grad():
        answer(model, tensors, teacher=True)
    return PASSES * counter.get_total_flops()


def _one_for_each_number(*_: Any, out_shape: Any, **__: Any) -> int:
    return math.prod(out_shape)


_aten = torch.ops.aten
ELEMENTWISE = dict.fromkeys((_aten.mul, _aten.add, _aten.sub, _aten.rsub), _one_for_each_number)
