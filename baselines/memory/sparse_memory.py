"""Sparse access memory, SAM (Rae et al. 2016): each step touches a few slots, of any number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 (PyTorch's own convention)
from torch import Tensor
from torch.autograd.function import once_differentiable

from ntmbench.baselines.memory.sparse_slots import Slots, columns_of, rows_of
from ntmbench.data.ranges import Choice, LogRange, searched
from ntmbench.errors import MAX_SIZE, check_range
from ntmbench.model import SequenceModel, enlarged
from ntmbench.ntm.addressing import cosine_similarity
from ntmbench.ntm.beginning import initialised_linear
from ntmbench.ntm.controller import LSTMLayer
from ntmbench.provenance import erase_and_add
from ntmbench.registry import register_model
from ntmbench.trace import Addressing, Panel, Signal, Trace

MAX_SLOTS = 2**30
MAX_HEADS = 256
MAX_TOUCHED = 1024


@dataclass(frozen=True)
class SparseMemorySettings:
    """Settings of the sparse access memory.

    The controller's size and K are those of Rae et al. (2016, supplement C). Words and heads are
    those of the NTM here, so that both compare. The paper has 4 heads (supplement C), in its
    benchmarks words of 32 numbers (supplement E), and in its curricula 2,000,000 slots (section
    4.3).
    """

    #: Units of the controller, an LSTM.
    controller_size: int = 100
    #: Memory slots, N. Those that are not used take neither time nor space.
    memory_slots: int = field(default=1024, metadata=searched(Choice((64, 256, 1024))))
    #: Numbers in one slot, M.
    word_size: int = field(default=20, metadata=searched(LogRange(8, 32)))
    #: Read heads, R.
    read_heads: int = field(default=1, metadata=searched(Choice((1, 2, 4))))
    #: Slots that a head reads at a step, K.
    touched: int = field(default=4, metadata=searched(Choice((2, 4, 8))))

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range("model.controller_size", self.controller_size, 1, MAX_SIZE)
        check_range("model.memory_slots", self.memory_slots, 1, MAX_SLOTS)
        check_range("model.word_size", self.word_size, 1, MAX_SIZE)
        check_range("model.read_heads", self.read_heads, 1, MAX_HEADS)
        check_range("model.touched", self.touched, 1, MAX_TOUCHED)


class _Asked(NamedTuple):
    """What the controller asks of the memory."""

    keys: Tensor  # [B, R, M]: q
    strengths: Tensor  # [B, R], at least one: beta
    word: Tensor  # [B, M]: a
    write_gate: Tensor  # [B], sigmoid: alpha
    again_gate: Tensor  # [B], sigmoid: gamma


class _State(NamedTuple):
    """What one step hands to the next, but for the memory."""

    hidden: Tensor  # [B, C]
    cell: Tensor  # [B, C]
    reads: Tensor  # [B, R, M]
    weights: Tensor  # [B, R, K], of the slots read


class _Step(NamedTuple):
    """What a step did, from which it is taken back."""

    before: _State
    after: _State
    asked: _Asked
    written: Tensor  # [B, R K + 1], slots: those read at the step before, then the least used one
    write_weights: Tensor  # [B, R K + 1]
    old: Tensor  # [B, R K + 1, M], what stood in them
    read: Tensor  # [B, R, K], slots
    known: Tensor  # [B, R, K], whether there is such a slot


@register_model("sparse_memory", settings=SparseMemorySettings, width="controller_size")
class SparseMemory(SequenceModel):
    """An LSTM with a memory of which each step reads K slots a head and writes those and one more.

    With the memory M, and with M(s) the word in slot s (section 3, with the paper's numbers)::

        s_k    the K slots whose words are most like the key q, by their cosine
        w^R    = softmax(beta cosine(q, M_t(s_k)))         over these slots, 0 elsewhere  (2)
        r_t    = sum_k w^R(s_k) M_t(s_k)                                                  (4)
        I^U    = 1 for the slot that was not used for longest, 0 elsewhere                (6)
        w^W    = alpha (gamma w^R_{t-1} + (1 - gamma) I^U)                                (5)
        M_t    = (1 - I^U 1^T) M_{t-1} + w^W a^T                                          (3)

    A slot is used at a step where w^R + w^W > 0.005. A step writes first and reads then. The answer
    is a linear map of r_t and of the controller's output, and the controller sees the input and
    r_{t-1} (section 3.3).

    Slots that were never written hold nothing that could be found. They are neither looked at nor
    stored, so that a sequence of T steps takes the time and the space of at most T slots, however
    many there are. The backward pass takes every step back in turn: it keeps the few words that a
    step overwrote, not the memory of every step (section 3.4).

    What is ours:

    - The search for the K slots is exact. It goes through all slots in use, so that the time of T
      steps grows with the square of T until all slots are in use. The paper has such a search too,
      and approximate ones whose time grows with log N (section 3.5).
    - All read heads share one write head, whose w^W has the mean of their w^R_{t-1}. The paper does
      not say how its heads write.
    - The strength beta is oneplus of a number, as in the DNC. The paper's controller gives none.
    - Weights start as an NTM's do: Xavier-uniform, biases at zero, forget gates at one.
    """

    def __init__(self, input_width: int, output_width: int, settings: SparseMemorySettings) -> None:
        """Build controller, interface and output."""
        super().__init__()
        self.settings = s = settings
        self.memory_slots = s.memory_slots
        reads = s.read_heads * s.word_size
        self.controller = LSTMLayer(input_width + reads, s.controller_size)
        self.interface = initialised_linear(s.controller_size, sum(self._interface_sizes()))
        self.output = initialised_linear(s.controller_size + reads, output_width)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``."""
        weights = self.step_weights()
        if torch.is_grad_enabled() and any(t.requires_grad for t in (inputs, *weights)):
            answers = _RolledBack.apply(self, inputs, *weights)  # type: ignore[no-untyped-call]
        else:
            slots = Slots(inputs, self.memory_slots, self.settings.word_size)
            answers = torch.stack([_answer(step.after) for step in self.steps(inputs, slots)])
        logits: Tensor = self.output(answers)  # [T, B, C + R M] to [T, B, out]
        return logits

    def room_for(self, items: int) -> AbstractContextManager[int]:
        """Enlarge the memory to hold ``items``; yields the number of slots."""
        return enlarged(self, "memory_slots", items)

    def state_floats(self, steps: int) -> int:
        """Words and last uses of the slots that can be used, and the number of those in use.

        Then what each head read, from which slots and by which weights, and the controller's state.
        """
        s = self.settings
        slots = min(self.memory_slots, steps)
        reads = s.read_heads * (s.word_size + 2 * s.touched)
        return slots * (s.word_size + 1) + 1 + reads + 2 * s.controller_size

    def trace(self, inputs: Tensor) -> Trace:
        """Run inputs ``[T, B, in]`` without gradients and return what the memory did.

        Signals, with S the slots that a sequence of T steps can use: ``write_weightings
        [T, B, 1, S]``, ``read_weightings [T, B, R, S]``, ``gates [T, B, 2]`` (alpha and gamma),
        ``write_vectors [T, B, M]`` and ``reads [T, B, R, M]``. ``provenance [T, B, T]`` is that of
        the reads.
        """
        with torch.no_grad():
            slots = Slots(inputs, self.memory_slots, self.settings.word_size)
            run = list(self.steps(inputs, slots))
            logits = self.output(torch.stack([_answer(step.after) for step in run]))
            writes = torch.stack([slots.spread(s.write_weights, s.written) for s in run])
            writes = writes.unsqueeze(2)  # [T, B, 1, S]
            reads = torch.stack([slots.spread(s.after.weights, s.read) for s in run])
            one = inputs.new_ones(inputs.shape[1], 1)
            erased = torch.stack([slots.spread(one, s.written[:, -1:]) for s in run])  # [T, B, S]
        vectors = torch.stack([step.asked.word for step in run])
        gates = [torch.stack([s.asked.write_gate, s.asked.again_gate], dim=1) for s in run]
        signals = {
            "write_vectors": Signal(vectors, ("word element",)),
            "reads": Signal(torch.stack([s.after.reads for s in run]), ("head", "word element")),
            "write_weightings": Signal(writes, ("head", "slot")),
            "read_weightings": Signal(reads, ("head", "slot")),
            "gates": Signal(torch.stack(gates), ("gate",)),
        }
        panels = (
            Panel("write_vectors", "write vectors", "signed"),
            Panel("reads", "reads", "signed"),
            Panel("write_weightings", "write weightings", "weights"),
            Panel("read_weightings", "read weightings", "weights"),
            Panel("gates", "write, where it was read", "unit"),
        )
        addressing = (
            Addressing("write_weightings", "write"),
            Addressing("read_weightings", "read"),
        )

        def provenance() -> Tensor:
            adds = vectors.unsqueeze(2)  # [T, B, 1, M]
            return erase_and_add(
                reads=reads,
                writes=writes,
                erases=torch.zeros_like(adds),
                adds=adds,
                freed=1 - erased,
            )

        return Trace(logits, signals, panels, provenance, addressing)

    def step_weights(self) -> tuple[Tensor, ...]:
        """The weights that the steps use; the answer is computed apart."""
        return (*self.controller.parameters(), *self.interface.parameters())

    def steps(self, inputs: Tensor, slots: Slots) -> Iterator[_Step]:
        """Run inputs ``[T, B, in]`` on slots, from a state of zeros."""
        s, batch_size = self.settings, inputs.shape[1]
        state = _State(
            hidden=inputs.new_zeros(batch_size, s.controller_size),
            cell=inputs.new_zeros(batch_size, s.controller_size),
            reads=inputs.new_zeros(batch_size, s.read_heads, s.word_size),
            weights=inputs.new_zeros(batch_size, s.read_heads, s.touched),
        )
        # Before the first step nothing was read: the weights of these slots are zero.
        read = torch.zeros_like(state.weights, dtype=torch.long)  # [B, R, K]
        for step_inputs in inputs:  # [B, in]
            before = state
            hidden, cell = self.control(step_inputs, before)  # [B, C]
            asked = self.asked(hidden)
            weights = write_weights(asked, before.weights)  # [B, R K + 1]
            oldest = slots.least_used().unsqueeze(1)  # [B, 1]
            written = torch.cat([read.flatten(1), oldest], dim=1)  # [B, R K + 1]
            added = weights.unsqueeze(2) * asked.word.unsqueeze(1)  # [B, R K + 1, M]
            old = slots.write(written, added)  # [B, R K + 1, M]
            read, known = slots.most_alike(asked.keys, s.touched)  # [B, R, K]
            found = rows_of(slots.words, read)  # [B, R, K, M]
            read_weights, reads = read_words(asked, found, known)  # [B, R, K], [B, R, M]
            state = _State(hidden, cell, reads, read_weights)
            slots.note_use(written, weights, read, read_weights)
            yield _Step(before, state, asked, written, weights, old, read, known)

    def control(self, step_inputs: Tensor, state: _State) -> tuple[Tensor, Tensor]:
        """Hidden state and cell ``[B, C]`` after inputs ``[B, in]``."""
        seen = torch.cat([step_inputs, state.reads.flatten(1)], dim=1)  # [B, in + R M]
        _, (hidden, cell) = self.controller(seen, (state.hidden, state.cell))
        return hidden, cell

    def asked(self, hidden: Tensor) -> _Asked:
        """The controller's output ``[B, C]`` in the range of each number."""
        # [B, R M], [B, R], [B, M], [B, 1], [B, 1]
        parts = torch.split(self.interface(hidden), self._interface_sizes(), dim=1)
        keys, strengths, word, write, again = parts
        return _Asked(
            keys=keys.reshape(len(hidden), self.settings.read_heads, -1),  # [B, R, M]
            strengths=1 + F.softplus(strengths),
            word=word,
            write_gate=torch.sigmoid(write).squeeze(1),  # [B]
            again_gate=torch.sigmoid(again).squeeze(1),  # [B]
        )

    def _interface_sizes(self) -> list[int]:
        s = self.settings
        return [s.read_heads * s.word_size, s.read_heads, s.word_size, 1, 1]


class _RolledBack(torch.autograd.Function):
    """The answers ``[T, B, C + R M]`` of inputs ``[T, B, in]``, and their gradients.

    The backward pass restores the words that each step overwrote, and computes that step again.
    """

    @staticmethod
    def forward(ctx: Any, model: SparseMemory, inputs: Tensor, *weights: Tensor) -> Tensor:
        slots = Slots(inputs, model.memory_slots, model.settings.word_size)
        ctx.model, ctx.slots = model, slots
        ctx.run = list(model.steps(inputs, slots))
        ctx.save_for_backward(inputs, *weights)
        return torch.stack([_answer(step.after) for step in ctx.run])  # [T, B, C + R M]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_answers: Tensor) -> tuple[Tensor | None, ...]:
        inputs, *_ = ctx.saved_tensors  # it would raise an error if a weight had been changed
        model, run = ctx.model, ctx.run
        weights = model.step_weights()
        words = ctx.slots.words.clone()  # [B, S, M]; another backward pass may follow
        d_words = torch.zeros_like(words)
        d_state = _State(*(torch.zeros_like(part) for part in run[0].before))
        d_inputs = torch.zeros_like(inputs)
        d_weights = [torch.zeros_like(weight) for weight in weights]
        for number in range(len(run) - 1, -1, -1):
            step: _Step = run[number]
            d_state = _with_answer(d_state, d_answers[number])
            d_added = rows_of(d_words, step.written)  # [B, R K + 1, M]
            found = rows_of(words, step.read)  # [B, R, K, M]
            again = _Again.of(model, inputs[number], step, found)
            d_leaves = again.gradients(d_state, d_added, weights)
            d_inputs[number] = d_leaves.inputs
            d_state = d_leaves.before
            for total, part in zip(d_weights, d_leaves.weights, strict=True):
                total += part
            read = columns_of(step.read.flatten(1), words)  # [B, R K, M]
            d_words.scatter_add_(1, read, d_leaves.found.flatten(1, 2))
            d_words.scatter_(1, columns_of(step.written[:, -1:], words), 0.0)
            words.scatter_(1, columns_of(step.written, words), step.old)
        return (None, d_inputs, *d_weights)


class _Gradients(NamedTuple):
    inputs: Tensor
    before: _State
    found: Tensor
    weights: tuple[Tensor, ...]


class _Again(NamedTuple):
    """A step computed again, as a graph of its own."""

    inputs: Tensor  # [B, in]
    before: _State
    found: Tensor  # [B, R, K, M], the words read
    after: _State
    added: Tensor  # [B, R K + 1, M], to the words written

    @classmethod
    def of(cls, model: SparseMemory, step_inputs: Tensor, step: _Step, found: Tensor) -> _Again:
        """The step from the inputs, the state before it and the words that it read."""
        inputs = step_inputs.detach().requires_grad_()
        before = _State(*(part.detach().requires_grad_() for part in step.before))
        found = found.detach().requires_grad_()
        with torch.enable_grad():
            hidden, cell = model.control(inputs, before)
            asked = model.asked(hidden)
            weights = write_weights(asked, before.weights)  # [B, R K + 1]
            added = weights.unsqueeze(2) * asked.word.unsqueeze(1)  # [B, R K + 1, M]
            # What the step reads may be what it has just added: [B, R K, R K + 1].
            same = step.read.flatten(1).unsqueeze(2) == step.written.unsqueeze(1)
            just_added = same.to(added.dtype) @ added  # [B, R K, M]
            just_added = just_added.view_as(found)  # [B, R, K, M]
            words = found + just_added - just_added.detach()
            read_weights, reads = read_words(asked, words, step.known)
        return cls(inputs, before, found, _State(hidden, cell, reads, read_weights), added)

    def gradients(
        self, d_after: _State, d_added: Tensor, weights: tuple[Tensor, ...]
    ) -> _Gradients:
        """The gradients of all that the step came from."""
        leaves = (self.inputs, *self.before, self.found, *weights)
        results = (*self.after, self.added)
        found = torch.autograd.grad(results, leaves, (*d_after, d_added))
        before = _State(*found[1 : 1 + len(self.before)])
        d_found, *d_weights = found[1 + len(self.before) :]
        return _Gradients(found[0], before, d_found, tuple(d_weights))


def write_weights(asked: _Asked, read_weights: Tensor) -> Tensor:
    """The weights ``[B, R K + 1]`` of the slots read with ``[B, R, K]``, and of the least used."""
    again = asked.again_gate.unsqueeze(1)  # [B, 1]
    # The mean over the heads: [B, R K].
    of_read = again * read_weights.flatten(1) / read_weights.shape[1]
    # [B, 1] * [B, R K + 1]
    return asked.write_gate.unsqueeze(1) * torch.cat([of_read, 1 - again], dim=1)


def read_words(asked: _Asked, words: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """The weights ``[B, R, K]`` of the words ``[B, R, K, M]`` found, and the reads ``[B, R, M]``.

    ``known [B, R, K]`` tells which are words of the memory.
    """
    heads = words.shape[0] * words.shape[1]
    keys = asked.keys.reshape(heads, 1, -1)  # [B R, 1, M]
    alike = cosine_similarity(words.flatten(0, 1), keys).view_as(known)  # [B, R, K]
    sharp = (asked.strengths.unsqueeze(2) * alike).masked_fill(~known, -torch.inf)  # [B, R, K]
    weights = torch.softmax(sharp, dim=2)
    return weights, (weights.unsqueeze(2) @ words).squeeze(2)  # of [B, R, 1, M]


def _answer(state: _State) -> Tensor:
    """What the answer is a linear map of, ``[B, C + R M]``."""
    return torch.cat([state.hidden, state.reads.flatten(1)], dim=1)


def _with_answer(d_state: _State, d_answer: Tensor) -> _State:
    """Gradients of a state, with those ``[B, C + R M]`` of the answer added."""
    width = d_state.hidden.shape[1]
    return d_state._replace(
        hidden=d_state.hidden + d_answer[:, :width],
        reads=d_state.reads + d_answer[:, width:].view_as(d_state.reads),
    )
