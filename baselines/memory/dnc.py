"""Differentiable Neural Computer (Graves et al. 2016), and the mends of Csordás and Schmidhuber."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 (PyTorch's own convention)
from torch import Tensor, nn

from ntmbench.baselines.memory import dnc_engines  # noqa: F401 (registers them)
from ntmbench.data.ranges import Choice, LogRange, searched
from ntmbench.engine.contract import AUTO, choose, engine_names
from ntmbench.engine.dnc import Shape
from ntmbench.engine.dnc.limits import EPSILON
from ntmbench.engine.inputs import check_shape
from ntmbench.errors import MAX_SIZE, check_choice, check_range
from ntmbench.model import SequenceModel, enlarged
from ntmbench.ntm.beginning import initialised_linear
from ntmbench.ntm.controller import Controller, LayerState
from ntmbench.provenance import erase_and_add
from ntmbench.registry import engines_of, register_model
from ntmbench.trace import Addressing, Panel, Signal, Trace

#: A step's links join every slot with every other one.
MAX_SLOTS = 2**13
MAX_HEADS = 256


@dataclass(frozen=True)
class DNCSettings:
    """Settings of the DNC of Graves et al. (2016); ``DNC`` says what differs from theirs.

    The sizes are those of the NTM here, so that both compare. The example of the authors' code has
    64 units, 16 slots of 16 numbers and 4 read heads.
    """

    #: Units of the controller, an LSTM.
    controller_size: int = 100
    #: Memory slots, N.
    memory_slots: int = field(default=128, metadata=searched(LogRange(16, 128)))
    #: Numbers in one slot, W.
    word_size: int = field(default=20, metadata=searched(LogRange(8, 32)))
    #: Read heads, R.
    read_heads: int = field(default=1, metadata=searched(Choice((1, 2, 4))))
    #: Whether each look-up compares only what a mask lets through, of key and words alike.
    masked_lookup: bool = False
    #: Whether a slot that is freed is erased too, so that no look-up finds it.
    erase_freed: bool = False
    #: Whether the weightings that follow the links are sharpened, as they blur with every write.
    sharpened_links: bool = False
    #: What computes it: fused (kernels, on a CPU and in float32), eager, or auto for the faster one
    #: that can. It does not change the results beyond rounding.
    engine: str = field(default=AUTO, metadata={"identity": False})

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range("model.controller_size", self.controller_size, 1, MAX_SIZE)
        check_range("model.memory_slots", self.memory_slots, 2, MAX_SLOTS)
        check_range("model.word_size", self.word_size, 1, MAX_SIZE)
        check_range("model.read_heads", self.read_heads, 1, MAX_HEADS)
        check_choice("model.engine", self.engine, engine_names(engines_of("dnc")))


class Interface(NamedTuple):
    """What the controller asks of the memory at one step."""

    read_keys: Tensor  # [B, R, W]: k^r
    read_strengths: Tensor  # [B, R], oneplus: beta^r
    read_modes: Tensor  # [B, R, 3], softmax over backward, content and forward: pi
    free_gates: Tensor  # [B, R], sigmoid: f
    write_key: Tensor  # [B, W]: k^w
    write_strength: Tensor  # [B], oneplus: beta^w
    erase: Tensor  # [B, W], sigmoid: e
    write_vector: Tensor  # [B, W]: v
    allocation_gate: Tensor  # [B], sigmoid: g^a
    write_gate: Tensor  # [B], sigmoid: g^w
    read_masks: Tensor | None  # [B, R, W], sigmoid; where look-ups are masked
    write_mask: Tensor | None  # [B, W], sigmoid; where look-ups are masked
    sharpness: Tensor | None  # [B, 2, R], oneplus: of forward and backward weightings


class Memory(NamedTuple):
    """The memory after a step, with all that is known about its slots."""

    words: Tensor  # [B, N, W]: M
    usage: Tensor  # [B, N]: u
    precedence: Tensor  # [B, N]: p
    links: Tensor  # [B, N, N]: L[i, j], how much slot i was written right after slot j
    write_weighting: Tensor  # [B, N]: w^w
    read_weightings: Tensor  # [B, R, N]: w^r
    retention: Tensor  # [B, N]: psi, the part of each slot that was not freed


class _Step(NamedTuple):
    hidden: Tensor  # [B, controller]
    asked: Interface
    memory: Memory
    reads: Tensor  # [B, R, W]


@register_model("dnc", settings=DNCSettings, width="controller_size")
class DNC(SequenceModel):
    """An LSTM with a memory whose slots it allocates, frees, and follows in the order of writing.

    At each step, with D(u, v, b) the content weighting softmax(b cosine(u, v)) (section "Methods",
    by its headings)::

        Content-based addressing
            c^w  = D(M_{t-1}, k^w, beta^w)
        Dynamic memory allocation, with u in ascending order phi
            psi  = prod_r (1 - f^r w^r_{t-1})
            u_t  = (u_{t-1} + w^w_{t-1} - u_{t-1} w^w_{t-1}) psi
            a[phi[j]] = (1 - u_t[phi[j]]) prod_{i<j} u_t[phi[i]]
        Write weighting
            w^w  = g^w (g^a a + (1 - g^a) c^w)
            M_t  = M_{t-1} (1 - w^w e^T) + w^w v^T
        Temporal memory linkage
            L_t[i, j] = (1 - w^w[i] - w^w[j]) L_{t-1}[i, j] + w^w[i] p_{t-1}[j],  L_t[i, i] = 0
            p_t  = (1 - sum w^w) p_{t-1} + w^w
        Read weighting
            w^r  = pi[1] L_t^T w^r_{t-1} + pi[2] D(M_t, k^r, beta^r) + pi[3] L_t w^r_{t-1}
            r    = M_t^T w^r

    The answer is a linear map of r and of the controller's output, and the controller sees the
    input and the r of the step before. All starts at zero, the controller's state too.

    The mends of Csordás and Schmidhuber (2019, sections 3.1 to 3.3), each a setting::

        masked_lookup    D(M m, k m, beta) with a mask m of the key's own in [0, 1]^W
        erase_freed      M_t = M_{t-1} psi (1 - w^w e^T) + w^w v^T                 (equation 1)
        sharpened_links  L w^r and L^T w^r are raised to a power s >= 1 and
                         normalised again                                          (2)

    What differs from Graves et al., or from their code (``google-deepmind/dnc``):

    - Nothing is clipped. Their example keeps the controller's output and state, and the answers,
      within [-20, 20].
    - The usage passes gradients on to the write weightings. Their code stops them there.
    - A small number, EPSILON, keeps results finite. The allocation takes EPSILON + (1 - EPSILON) u
      for u, as their code does. The cosine is u v / (|u| |v| + EPSILON); their code adds EPSILON
      to the squares of |u| and |v| too. Sharpening adds it to each weight before the power.
    - The strengths beta are oneplus of a number, as in the paper. Their code has softplus.
    - The controller is one LSTM layer. The maps to interface and answer have biases, as in their
      code.
    - Weights start as an NTM's do here: Xavier-uniform, biases at zero, forget gates at one.

    On a CPU and in float32 a fused engine runs all steps at once. ``forward_eager`` does the same
    in PyTorch operations, wherever PyTorch can, and is the reference.
    """

    def __init__(self, input_width: int, output_width: int, settings: DNCSettings) -> None:
        """Build controller, interface and output."""
        super().__init__()
        self.input_width, self.output_width = input_width, output_width
        self.settings = s = settings
        self.memory_slots = s.memory_slots
        reads = s.read_heads * s.word_size
        self.controller = Controller("lstm", input_width + reads, s.controller_size, 1)
        self.interface = initialised_linear(s.controller_size, sum(self._interface_sizes()))
        self.output = initialised_linear(s.controller_size + reads, output_width)
        self._said: set[str] = set()  # of engines that cannot run this

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``.

        Raises:
            ValueError: if the inputs are of another shape.
            SettingError: if ``model.engine`` is fused and cannot run this.
        """
        check_shape("DNC", inputs, self.input_width)
        engine = choose(engines_of("dnc"), self.settings.engine, self, inputs, self._said)
        return engine.run(self, inputs)

    def forward_eager(self, inputs: Tensor) -> Tensor:
        """The same as ``forward``, step by step in PyTorch operations."""
        return self._logits(self._steps(inputs))

    def shape(self) -> Shape:
        """What the fused engine must know beside the weights, for the present ``memory_slots``."""
        s = self.settings
        return Shape(
            inputs=self.input_width,
            outputs=self.output_width,
            units=s.controller_size,
            slots=self.memory_slots,
            words=s.word_size,
            heads=s.read_heads,
            masked=s.masked_lookup,
            frees=s.erase_freed,
            sharpens=s.sharpened_links,
        )

    def weights(self) -> list[Tensor]:
        """Weight and bias of the controller, the interface and the output."""
        return [weight for linear in self.maps() for weight in (linear.weight, linear.bias)]

    def maps(self) -> list[nn.Linear]:
        """The linear maps of the controller, the interface and the output."""
        return [*self.controller.linears(), self.interface, self.output]

    def room_for(self, items: int) -> AbstractContextManager[int]:
        """Enlarge the memory to hold ``items``; yields the number of slots."""
        return enlarged(self, "memory_slots", items)

    def state_floats(self, steps: int) -> int:
        """Words, links, usage, precedence, weightings, last reads, and the controller's state."""
        s, n = self.settings, self.memory_slots
        weightings = (s.read_heads + 3) * n  # with usage and precedence
        reads = s.read_heads * s.word_size
        return n * s.word_size + n * n + weightings + reads + 2 * s.controller_size

    def trace(self, inputs: Tensor) -> Trace:
        """Run inputs ``[T, B, in]`` without gradients and return what the memory did.

        Signals: ``write_weightings [T, B, 1, N]``, ``read_weightings [T, B, R, N]``, ``usage
        [T, B, N]``, ``read_modes [T, B, R, 3]`` (backward, content, forward), ``gates [T, B,
        2 + R]`` (write, allocation, then the free gates), ``reads [T, B, R, W]`` and
        ``write_vectors [T, B, W]``. ``provenance [T, B, T]`` is that of the reads.
        """
        with torch.no_grad():
            run = list(self._steps(inputs))
            logits = self._logits(iter(run))
        memories, asked = [step.memory for step in run], [step.asked for step in run]
        gates = [
            torch.cat([a.write_gate[:, None], a.allocation_gate[:, None], a.free_gates], dim=1)
            for a in asked
        ]
        writes = torch.stack([memory.write_weighting for memory in memories]).unsqueeze(2)
        reads = torch.stack([memory.read_weightings for memory in memories])
        erases = torch.stack([a.erase for a in asked]).unsqueeze(2)
        vectors = torch.stack([a.write_vector for a in asked])
        retention = torch.stack([memory.retention for memory in memories])
        signals = {
            "write_vectors": Signal(vectors, ("word element",)),
            "reads": Signal(torch.stack([step.reads for step in run]), ("head", "word element")),
            "write_weightings": Signal(writes, ("head", "slot")),
            "read_weightings": Signal(reads, ("head", "slot")),
            "usage": Signal(torch.stack([memory.usage for memory in memories]), ("slot",)),
            "read_modes": Signal(torch.stack([a.read_modes for a in asked]), ("head", "mode")),
            "gates": Signal(torch.stack(gates), ("gate",)),
        }
        panels = (
            Panel("write_vectors", "write vectors", "signed"),
            Panel("reads", "reads", "signed"),
            Panel("write_weightings", "write weightings", "weights"),
            Panel("read_weightings", "read weightings", "weights"),
            Panel("usage", "usage", "unit"),
            Panel("read_modes", "backward, content, forward", "unit"),
            Panel("gates", "write, allocate, free", "unit"),
        )
        addressing = (
            Addressing("write_weightings", "write"),
            Addressing("read_weightings", "read"),
        )

        def provenance() -> Tensor:
            return erase_and_add(
                reads=reads,
                writes=writes,
                erases=erases,
                adds=vectors.unsqueeze(2),
                freed=retention if self.settings.erase_freed else None,
            )

        return Trace(logits, signals, panels, provenance, addressing)

    def _logits(self, run: Iterator[_Step]) -> Tensor:
        # Each [B, R W + controller].
        answers = [torch.cat([step.reads.flatten(1), step.hidden], dim=1) for step in run]
        logits: Tensor = self.output(torch.stack(answers))  # [T, B, out]
        return logits

    def _steps(self, inputs: Tensor) -> Iterator[_Step]:
        s, batch_size = self.settings, inputs.shape[1]
        zeros = inputs.new_zeros
        states: tuple[LayerState, ...] = ((zeros(batch_size, s.controller_size),) * 2,)
        reads = zeros(batch_size, s.read_heads, s.word_size)
        memory = empty_memory(inputs, batch_size, s.read_heads, self.memory_slots, s.word_size)
        for step_inputs in inputs:  # [B, in]
            seen = torch.cat([step_inputs, reads.flatten(1)], dim=1)  # [B, in + R W]
            hidden, states = self.controller(seen, states)  # [B, controller]
            asked = self._asked(hidden)
            memory = step(memory, asked, erase_freed=s.erase_freed)
            reads = memory.read_weightings @ memory.words  # [B, R, W]
            yield _Step(hidden, asked, memory, reads)

    def _interface_sizes(self) -> list[int]:
        """How many numbers each part of the interface takes, in the order of ``Interface``."""
        s = self.settings
        heads, words = s.read_heads, s.word_size
        sizes = [heads * words, heads, 3 * heads, heads, words, 1, words, words, 1, 1]
        if s.masked_lookup:
            sizes += [heads * words, words]
        if s.sharpened_links:
            sizes.append(2 * heads)
        return sizes

    def _asked(self, hidden: Tensor) -> Interface:
        """The controller's output ``[B, controller]`` in the range of each number."""
        s = self.settings
        heads = s.read_heads
        # Each [B, size of the part].
        parts = list(self.interface(hidden).split(self._interface_sizes(), dim=1))
        # [B, 2, R]
        sharpness = _oneplus(parts.pop()).reshape(-1, 2, heads) if s.sharpened_links else None
        write_mask = torch.sigmoid(parts.pop()) if s.masked_lookup else None  # [B, W]
        read_masks = (
            torch.sigmoid(parts.pop()).reshape(-1, heads, s.word_size) if s.masked_lookup else None
        )  # [B, R, W]
        keys, strengths, modes, free, key, strength, erase, vector, allocate, write = parts
        return Interface(
            read_keys=keys.unflatten(1, (heads, -1)),  # [B, R, W]
            read_strengths=_oneplus(strengths),
            read_modes=torch.softmax(modes.unflatten(1, (heads, 3)), dim=2),  # [B, R, 3]
            free_gates=torch.sigmoid(free),
            write_key=key,
            write_strength=_oneplus(strength).squeeze(1),  # [B]
            erase=torch.sigmoid(erase),
            write_vector=vector,
            allocation_gate=torch.sigmoid(allocate).squeeze(1),  # [B]
            write_gate=torch.sigmoid(write).squeeze(1),  # [B]
            read_masks=read_masks,
            write_mask=write_mask,
            sharpness=sharpness,
        )


def empty_memory(like: Tensor, batch_size: int, heads: int, slots: int, words: int) -> Memory:
    """A memory before the first step, all zero, of the type and on the device of ``like``."""
    return Memory(
        words=like.new_zeros(batch_size, slots, words),
        usage=like.new_zeros(batch_size, slots),
        precedence=like.new_zeros(batch_size, slots),
        links=like.new_zeros(batch_size, slots, slots),
        write_weighting=like.new_zeros(batch_size, slots),
        read_weightings=like.new_zeros(batch_size, heads, slots),
        retention=like.new_ones(batch_size, slots),
    )


def step(memory: Memory, asked: Interface, *, erase_freed: bool) -> Memory:
    """One step of the memory: free, allocate, write, link, read."""
    retention = (1 - asked.free_gates.unsqueeze(2) * memory.read_weightings).prod(dim=1)  # [B, N]
    written = memory.write_weighting
    usage = (memory.usage + written - memory.usage * written) * retention
    found = content_weightings(
        memory.words,
        asked.write_key.unsqueeze(1),  # [B, 1, W]
        asked.write_strength.unsqueeze(1),  # [B, 1]
        None if asked.write_mask is None else asked.write_mask.unsqueeze(1),  # [B, 1, W]
    ).squeeze(1)  # [B, N]
    gate = asked.allocation_gate.unsqueeze(1)  # [B, 1]
    # [B, 1] * [B, N] = [B, N]
    write = asked.write_gate.unsqueeze(1) * (gate * allocation(usage) + (1 - gate) * found)
    kept = 1 - write.unsqueeze(2) * asked.erase.unsqueeze(1)  # [B, N, W]
    if erase_freed:
        kept = kept * retention.unsqueeze(2)  # [B, N, W] * [B, N, 1]
    # [B, N, 1] * [B, 1, W] = [B, N, W]
    words = memory.words * kept + write.unsqueeze(2) * asked.write_vector.unsqueeze(1)
    links = linked(memory.links, write, memory.precedence)  # [B, N, N]
    precedence = (1 - write.sum(dim=1, keepdim=True)) * memory.precedence + write  # [B, N]
    forward = memory.read_weightings @ links.transpose(1, 2)  # [B, R, N]
    backward = memory.read_weightings @ links  # [B, R, N]
    if asked.sharpness is not None:
        forward = sharpened(forward, asked.sharpness[:, 0])  # by [B, R]
        backward = sharpened(backward, asked.sharpness[:, 1])
    # [B, R, N]
    content = content_weightings(words, asked.read_keys, asked.read_strengths, asked.read_masks)
    modes = asked.read_modes.unsqueeze(3).unbind(dim=2)  # 3 of [B, R, 1]
    read = modes[0] * backward + modes[1] * content + modes[2] * forward  # [B, R, N]
    return Memory(words, usage, precedence, links, write, read, retention)


def content_weightings(
    words: Tensor, keys: Tensor, strengths: Tensor, masks: Tensor | None
) -> Tensor:
    """The weightings ``[B, H, N]`` of slots ``[B, N, W]`` by their likeness to keys ``[B, H, W]``.

    ``strengths [B, H]``; ``masks [B, H, W]``, if any, take a part in the likeness.
    """
    if masks is None:
        sizes = torch.linalg.vector_norm(words, dim=2).unsqueeze(1)  # [B, 1, N]
        dots = keys @ words.transpose(1, 2)  # [B, H, N]
    else:
        keys = keys * masks  # [B, H, W]
        seen = words.unsqueeze(1) * masks.unsqueeze(2)  # [B, H, N, W]
        sizes = torch.linalg.vector_norm(seen, dim=3)  # [B, H, N]
        dots = (seen @ keys.unsqueeze(3)).squeeze(3)  # [B, H, N]
    key_sizes = torch.linalg.vector_norm(keys, dim=2, keepdim=True)  # [B, H, 1]
    # [B, H, 1] * [B, H, N] / [B, H, N] = [B, H, N]
    return torch.softmax(strengths.unsqueeze(2) * dots / (key_sizes * sizes + EPSILON), dim=2)


def allocation(usage: Tensor) -> Tensor:
    """The weighting ``[B, N]`` of free slots, the least used first, for a usage ``[B, N]``."""
    ascending, order = (EPSILON + (1 - EPSILON) * usage).sort(dim=1, stable=True)
    before = F.pad(ascending[:, :-1].cumprod(dim=1), (1, 0), value=1.0)  # [B, N]
    return torch.zeros_like(usage).scatter(1, order, (1 - ascending) * before)  # [B, N]


def linked(links: Tensor, write: Tensor, precedence: Tensor) -> Tensor:
    """The links ``[B, N, N]`` after a write with a weighting ``[B, N]``."""
    to, since = write.unsqueeze(2), write.unsqueeze(1)  # [B, N, 1], [B, 1, N]
    after = (1 - to - since) * links + to * precedence.unsqueeze(1)  # [B, N, N]
    return after * (1 - torch.eye(write.shape[1], dtype=write.dtype, device=write.device))


def sharpened(weightings: Tensor, sharpness: Tensor) -> Tensor:
    """Weightings ``[B, R, N]`` raised to powers ``[B, R]``, each adding up to one."""
    return torch.softmax(sharpness.unsqueeze(2) * torch.log(weightings + EPSILON), dim=2)


def _oneplus(numbers: Tensor) -> Tensor:
    """1 + log(1 + exp(x)): numbers of at least one."""
    return 1 + F.softplus(numbers)
