"""The fused engine as a PyTorch function: a whole sequence, forward and backward."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, cast

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from ntmbench.model import Trace
from ntmbench.ntm.settings import NTMSettings

from . import threads
from .backward import run_backward
from .forward import run_forward
from .gradients import accumulate
from .layout import Layout, Problem, Scratch, make_layout, make_scratch
from .packing import pack_backward, pack_first, pack_forward
from .simd import REGISTER_BITS
from .weights import FirstValues, Weights

#: Sequences that share each pass over the weights.
BLOCK = 8
#: Rows of a weight's gradient that one thread works out at a time.
GRADIENT_ROWS = 64

FloatArray = NDArray[Any]


def run(settings: NTMSettings, inputs: Tensor, first: FirstValues, weights: Weights) -> Tensor:
    """Logits ``[T, B, out]`` for inputs ``[T, B, in]``, with gradients for every tensor."""
    flat = weights.flat()
    keep = torch.is_grad_enabled() and any(
        tensor.requires_grad for tensor in (inputs, *first, *flat)
    )
    if keep:
        return cast(Tensor, _Run.apply(settings, inputs, *first, *flat))  # type: ignore[no-untyped-call]
    return _Call(settings, inputs, first, flat, training=False).forward()


def trace(settings: NTMSettings, inputs: Tensor, first: FirstValues, weights: Weights) -> Trace:
    """Run inputs ``[T, B, in]`` without gradients and return what the memory did."""
    call = _Call(settings, inputs, first, weights.flat(), training=True, interval=1)
    return call.trace(call.forward())


def kept_numbers(
    settings: NTMSettings, inputs: int, outputs: int, slots: int, steps: int, batch: int
) -> int:
    """How many numbers a forward pass in float32 keeps for the backward pass."""
    lanes = REGISTER_BITS // 32
    interval = _interval(steps)
    return _layout(settings, inputs, outputs, slots, steps, batch, True, interval, lanes).kept


class _Run(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, settings: NTMSettings, inputs: Tensor, *tensors: Tensor) -> Tensor:
        first, flat = FirstValues(*tensors[:4]), tensors[4:]
        ctx.settings = settings
        ctx.call = _Call(settings, inputs, first, flat, training=True)
        ctx.save_for_backward(inputs, *tensors)
        return cast(Tensor, ctx.call.forward())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_logits: Tensor) -> tuple[Tensor | None, ...]:
        inputs, *tensors = ctx.saved_tensors
        call = ctx.call
        ctx.call = None
        if call is None:
            # The backward pass used up what the forward pass had kept: run that again.
            first = FirstValues(*tensors[:4])
            call = _Call(ctx.settings, inputs, first, tensors[4:], training=True)
            call.forward()
        return (None, *call.backward(d_logits, ctx.needs_input_grad[1:]))


class _Call:
    """One forward pass, and one backward pass over what it kept."""

    def __init__(
        self,
        settings: NTMSettings,
        inputs: Tensor,
        first: FirstValues,
        flat: Sequence[Tensor],
        *,
        training: bool,
        interval: int | None = None,
    ) -> None:
        self.inputs, self.first, self.flat = inputs.detach().contiguous(), first, flat
        steps, batch, width = inputs.shape
        self.layout = _layout(
            settings,
            width,
            flat[-1].shape[0],
            first.weightings.shape[1],
            steps,
            batch,
            training,
            interval or _interval(steps),
            REGISTER_BITS // (8 * inputs.element_size()),
        )
        self.kept = self.empty(self.layout.kept)
        self.pieces = threads.split(batch, BLOCK)

    def empty(self, size: int) -> Tensor:
        """Room for ``size`` numbers."""
        return torch.empty(size, dtype=self.inputs.dtype)

    def forward(self) -> Tensor:
        """Fill ``kept`` and return the logits."""
        n, first = self.layout, self.first
        packed = self.empty(n.packed).numpy()
        places = [n.pack_first]
        places += [n.pack_later + i * n.gate_row * n.later_width for i in range(n.layers - 1)]
        places += [n.pack_heads, n.pack_output]
        for i, place in enumerate(places):
            pack_forward(_array(self.flat[2 * i]), _array(self.flat[2 * i + 1]), packed, place)
        pack_first(
            _array(first.memory), _array(first.weightings), n.slot_row, packed, n.pack_memory,
            n.pack_weightings,
        )  # fmt: skip
        states = _array(torch.cat([first.reads.flatten(), first.controller.flatten()]))
        logits = self.empty(n.steps * n.batch * n.outputs)
        inputs, kept, answers = _array(self.inputs.view(-1)), self.kept.numpy(), logits.numpy()
        scratch = _scratch(n, self.pieces[0][1], False)
        room = self._rooms(scratch)

        def block(worker: int, start: int, size: int) -> None:
            run_forward(
                n, scratch, packed, inputs, states, kept, room[worker], answers, start, size
            )

        threads.run(block, self.pieces)
        return logits.view(n.steps, n.batch, n.outputs)

    def backward(self, d_logits: Tensor, needed: Sequence[bool]) -> list[Tensor | None]:
        """Gradients of the inputs, the first values and the weights, None where not needed."""
        n = self.layout
        packed = self._packed_backward()
        answers = _array(d_logits.contiguous().view(-1))
        learned = any(needed[1:5])
        starts = self.empty(n.batch * n.start_row if learned else 0)
        kept, d_starts = self.kept.numpy(), starts.numpy()
        scratch = _scratch(n, self.pieces[0][1], True)
        room = self._rooms(scratch)

        def block(worker: int, start: int, size: int) -> None:
            run_backward(n, scratch, packed, answers, kept, room[worker], d_starts, start, size)

        threads.run(block, self.pieces)
        d_inputs = self._d_inputs() if needed[0] else None
        d_first = self._d_first(starts, needed[1:5]) if learned else [None] * 4
        return [d_inputs, *d_first, *self._d_weights(answers)]

    def trace(self, logits: Tensor) -> Trace:
        """What the memory did; every memory must have been kept."""
        n = self.layout
        numbers = self._rows(n.at_heads, n.steps, n.head_row)
        answers = self._rows(n.at_answers, n.steps, n.answer_row)
        weightings = self._rows(n.at_weightings, n.steps + 1, n.heads * n.slot_row)[1:]
        weightings = _grid(weightings, 0, n.heads, n.slot_row)[..., : n.slots]
        memory = self._rows(n.at_memory, n.steps + 1, n.words * n.slot_row)[1:]
        memory = _grid(memory, 0, n.words, n.slot_row)[..., : n.slots]
        return Trace(
            logits=logits,
            read_weightings=weightings[:, :, : n.reads].clone(),
            write_weightings=weightings[:, :, n.reads :].clone(),
            reads=_grid(answers, 0, n.reads, n.words).clone(),
            erases=_grid(numbers, n.erase, n.writes, n.words).clone(),
            adds=_grid(numbers, n.add, n.writes, n.words).clone(),
            memory=memory.transpose(-1, -2).contiguous(),
            key_strength=numbers[..., n.strength : n.strength + n.heads].clone(),
            interpolation_gate=numbers[..., n.gate : n.gate + n.heads].clone(),
            shift=_grid(numbers, n.shift, n.heads, n.shifts).clone(),
            sharpening=numbers[..., n.sharpening : n.sharpening + n.heads] + 1,
        )

    def _rows(self, start: int, steps: int, row: int) -> Tensor:
        """A stretch of ``kept`` as ``[steps, B, row]``."""
        count = steps * self.layout.batch * row
        return self.kept[start : start + count].view(steps, self.layout.batch, row)

    def _rooms(self, scratch: Scratch) -> list[FloatArray]:
        """A scratch array for each thread."""
        workers = min(torch.get_num_threads(), len(self.pieces))
        return [self.empty(scratch.size).numpy() for _ in range(workers)]

    def _packed_backward(self) -> FloatArray:
        n = self.layout
        packed = self.empty(n.back_packed).numpy()
        own = n.recurrent * n.units
        pack_backward(_array(self.flat[0]), n.inputs, n.read_width + own, packed, n.back_first)
        later = -(-(n.units + own) // n.lanes) * n.lanes * n.gates
        for i in range(n.layers - 1):
            weight = _array(self.flat[2 * i + 2])
            pack_backward(weight, 0, n.units + own, packed, n.back_later + i * later)
        pack_backward(_array(self.flat[-4]), 0, n.units, packed, n.back_heads)
        output = _array(self.flat[-2])
        pack_backward(output, 0, n.read_width, packed, n.back_output_reads)
        pack_backward(output, n.read_width, n.units, packed, n.back_output_units)
        return packed

    def _d_inputs(self) -> Tensor:
        n = self.layout
        gates = self._rows(n.at_gates, n.steps, n.gate_row)[..., : n.gates]
        return gates @ self.flat[0][:, : n.inputs]

    def _d_first(self, starts: Tensor, needed: Sequence[bool]) -> list[Tensor | None]:
        """Sums over the sequences."""
        n = self.layout
        sums = starts.view(n.batch, n.start_row).sum(dim=0)
        memory, weightings, reads, states = torch.split(
            sums,
            [
                n.words * n.slot_row,
                n.heads * n.slot_row,
                n.read_width,
                2 * n.recurrent * n.layers * n.units,
            ],
        )
        rows = self.first.memory.shape[0]
        slots = memory.view(n.words, n.slot_row)[:, : n.slots].T
        place = torch.arange(n.slots) % rows
        gradients = [
            states.view_as(self.first.controller),
            reads.view_as(self.first.reads),
            slots.new_zeros(rows, n.words).index_add(0, place, slots),
            weightings.view(n.heads, n.slot_row)[:, : n.slots],
        ]
        return [
            gradient if wanted else None for gradient, wanted in zip(gradients, needed, strict=True)
        ]

    def _d_weights(self, answers: FloatArray) -> list[Tensor]:
        n, kept = self.layout, self.kept.numpy()
        steps = n.steps * n.batch
        gates, later = steps * n.gate_row, (n.steps + 1) * n.batch * n.later_row
        layers = [
            (
                (kept, n.at_gates, n.gate_row, n.gates),
                (n.at_first, n.first_row, n.first_width),
            )
        ]
        layers += [
            (
                (kept, n.at_gates + (i + 1) * gates, n.gate_row, n.gates),
                (n.at_later + i * later, n.later_row, n.later_width),
            )
            for i in range(n.layers - 1)
        ]
        heads = (
            (kept, n.at_heads, n.head_row, n.head_numbers),
            (n.at_answers + n.read_width, n.answer_row, n.units + 1),
        )
        output = (
            (answers, 0, n.outputs, n.outputs),
            (n.at_answers, n.answer_row, n.read_width + n.units + 1),
        )
        gradients = [self._product(*slopes, *seen) for slopes, seen in (*layers, heads, output)]
        return [tensor for both in gradients for tensor in (both[:, :-1], both[:, -1])]

    def _product(
        self,
        a: FloatArray,
        a_start: int,
        a_row: int,
        size: int,
        b_start: int,
        b_row: int,
        width: int,
    ) -> Tensor:
        """The gradient ``[size, width]`` of a weight and, as its last column, of its bias."""
        n = self.layout
        vectors = -(-width // n.lanes)
        row = vectors * n.lanes
        result = self.empty(size * row)
        target, kept = result.numpy(), self.kept.numpy()
        steps = n.steps * n.batch

        def rows(worker: int, first: int, count: int) -> None:
            accumulate(
                a, a_start, a_row, kept, b_start, b_row, target, 0, row, first, first + count,
                vectors, steps,
            )  # fmt: skip

        threads.run(rows, threads.split(size, GRADIENT_ROWS) if steps > 256 else [(0, size)])
        return result.view(size, row)[:, :width]


def _grid(rows: Tensor, start: int, count: int, size: int) -> Tensor:
    """A stretch of every row as ``[T, B, count, size]``."""
    return rows[..., start : start + count * size].reshape(*rows.shape[:2], count, size)


def _interval(steps: int) -> int:
    """Steps between kept memories: as many are kept as are worked out again at once."""
    return math.isqrt(steps - 1) + 1


def _array(tensor: Tensor) -> FloatArray:
    array: FloatArray = tensor.detach().contiguous().numpy()
    return array


@functools.lru_cache(maxsize=256)
def _layout(*arguments: Any) -> Layout:
    return make_layout(Problem(*arguments))


@functools.lru_cache(maxsize=256)
def _scratch(layout: Layout, sequences: int, backward: bool) -> Scratch:
    return make_scratch(layout, sequences, backward)
