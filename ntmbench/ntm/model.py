"""The Neural Turing Machine as a SequenceModel."""

from __future__ import annotations

import dataclasses
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from ntmbench.engine.contract import Engine, choose
from ntmbench.engine.inputs import check_shape
from ntmbench.errors import check_known, check_whole
from ntmbench.model import SequenceModel, enlarged
from ntmbench.ntm.beginning import initialised_linear
from ntmbench.ntm.cell import NTMCell, NTMState
from ntmbench.ntm.initial import (
    Softmax,
    add_initial_values,
    constant_weightings,
    learned_weightings,
    pytorch_softmax,
    repeated_memory,
    resized_memory,
)
from ntmbench.ntm.settings import MAX_SLOTS, NTMSettings
from ntmbench.ntm.trace import NTMTrace
from ntmbench.ntm.weights import FirstValues, Weights
from ntmbench.registry import engines_of, register_model
from ntmbench.trace import Trace


# Version 2: the same digits on every processor, from initial weights of the suite's own.
@register_model("ntm", settings=NTMSettings, width="controller_size", version=2)
class NTM(SequenceModel):
    """Neural Turing Machine (Graves, Wayne and Danihelka 2014) over whole sequences.

    ``NTM(9, 8, memory_slots=64)`` is a plain ``nn.Module`` that maps inputs ``[T, B, 9]`` to logits
    ``[T, B, 8]``. Its answer at a step is a linear map of what the read heads read at that step and
    of the controller's output.

    Weights start Xavier-uniform and biases at zero, the LSTM's forget gates at one.

    ``memory_slots`` may be set at any time. A learned or random initial memory then repeats its
    rows, and a learned initial weighting gives no weight to additional slots. The parameters and
    the ``state_dict`` do not depend on it.

    With ``engine="auto"`` the fused engine runs on a CPU wherever it can. Plain PyTorch runs
    elsewhere: on other devices, inside ``torch.func`` transforms, in forward mode automatic
    differentiation, and under ``torch.autocast``, ``torch.compile`` and ``torch.export``. Second
    derivatives (``create_graph=True``) and batches of gradients (``is_grads_batched=True``,
    ``torch.autograd.functional.jacobian(vectorize=True)``, ``torch.func.vmap`` over
    ``torch.autograd.grad``) cannot be foreseen in a forward pass: they need ``engine="eager"``,
    and the fused engine's backward pass refuses them with a ModelError.
    """

    memory_slots: int
    first_controller: Tensor
    first_reads: Tensor
    first_memory: Tensor
    weighting_logits: Tensor  # only where the initial weighting is learned

    def __init__(
        self,
        input_width: int,
        output_width: int,
        settings: NTMSettings | None = None,
        **overrides: Any,
    ) -> None:
        """Build the machine.

        Args:
            input_width: channels of the input.
            output_width: channels of the answer.
            settings: all settings; the defaults of NTMSettings if omitted.
            **overrides: single settings by name, replacing those of ``settings``.

        Raises:
            SettingError: for an unknown setting or a value of the wrong type or out of range.
        """
        super().__init__()
        self.input_width = input_width
        check_whole("input_width", input_width, 1)
        check_whole("output_width", output_width, 1)
        self.settings = settings = _settings(settings, overrides)
        self.memory_slots = settings.memory_slots
        self.cell = NTMCell(input_width, settings)
        read_width = settings.read_heads * settings.word_size
        self.output = initialised_linear(settings.controller_size + read_width, output_width)
        add_initial_values(self, settings, self.cell.controller.states)
        # Lines about engines that cannot run this which are in the log already.
        self._said: set[str] = set()

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``.

        Raises:
            ValueError: if the inputs are of another shape.
            ModelError: if the inputs are of another type or on another device than the weights,
                or these differ among themselves.
            SettingError: if ``model.engine`` is fused and cannot run this, or for a
                ``memory_slots`` that is no whole number from 2 to MAX_SLOTS.
        """
        return self._engine(inputs).run(self, inputs)

    def trace(self, inputs: Tensor) -> Trace:
        """Run inputs ``[T, B, in]`` without gradients and return what the memory did.

        The signals are those of ``NTMTrace``.

        Raises:
            ValueError, ModelError, SettingError: as ``forward``.
        """
        with torch.no_grad():
            trace: NTMTrace = self._engine(inputs).trace(self, inputs)
            return trace.named(self.initial_memory())

    def room_for(self, items: int) -> AbstractContextManager[int]:
        """Enlarge the memory to the next power of two that holds ``items`` and a slot to rest on.

        Yields the number of slots, which stays as it is if it suffices.
        """
        needed = 0 if items < self.memory_slots else 1 << items.bit_length()
        return enlarged(self, "memory_slots", needed)

    def state_floats(self, steps: int) -> int:
        """The memory, the weightings, what was read, and the controller's state."""
        s = self.settings
        heads = s.heads * self.memory_slots + s.read_heads * s.word_size
        return self.memory_slots * s.word_size + heads + self.first_controller.numel()

    def initial_state(self, batch_size: int) -> NTMState:
        """The state before the first step for ``batch_size`` sequences, in memory of its own."""
        return NTMState(
            controller=tuple(
                tuple(state.repeat(batch_size, 1) for state in layer)
                for layer in self.first_controller
            ),
            reads=self.first_reads.repeat(batch_size, 1, 1),
            weightings=self.initial_weightings().repeat(batch_size, 1, 1),
            memory=self.initial_memory().repeat(batch_size, 1, 1),
        )

    def initial_memory(self) -> Tensor:
        """The memory ``[N, M]`` before the first step, for the present ``memory_slots``."""
        return repeated_memory(self.first_rows(), self.memory_slots)

    def first_rows(self) -> Tensor:
        """The rows ``[rows, M]`` that the memory repeats before the first step."""
        if self.settings.initial_memory == "code" and self.memory_slots != len(self.first_memory):
            return resized_memory(self.first_memory, self.memory_slots)
        return self.first_memory

    def initial_weightings(self, softmax: Softmax = pytorch_softmax) -> Tensor:
        """The weightings ``[H, N]`` before the first step, for the present ``memory_slots``."""
        kind, heads = self.settings.initial_weighting, self.settings.heads
        if kind == "learned":
            return learned_weightings(self.weighting_logits, self.memory_slots, softmax)
        return constant_weightings(kind, heads, self.memory_slots, self.first_memory)

    def first_values(self, softmax: Softmax = pytorch_softmax) -> FirstValues:
        """The values before the first step, for the present ``memory_slots``."""
        weightings = self.initial_weightings(softmax)
        return FirstValues(self.first_controller, self.first_reads, self.first_rows(), weightings)

    def weights(self) -> Weights:
        """All linear maps."""
        cell = self.cell  # PyTorch's modules are slow to find their attributes
        linears = [*cell.controller.linears(), cell.heads, self.output]
        *layers, heads, output = [(linear.weight, linear.bias) for linear in linears]
        return Weights(layers, heads, output)

    def tensors(self) -> list[Tensor]:
        """All parameters and buffers, for checks of their type and device."""
        first = [self.first_controller, self.first_reads, self.first_memory]
        if self.settings.initial_weighting == "learned":
            first.append(self.weighting_logits)
        return [*first, *self.weights().flat()]

    def _engine(self, inputs: Tensor) -> Engine[NTM]:
        """The engine that runs the inputs."""
        check_whole("memory_slots", self.memory_slots, 2, MAX_SLOTS)
        check_shape("NTM", inputs, self.input_width)
        return choose(engines_of("ntm"), self.settings.engine, self, inputs, self._said)


def _settings(settings: NTMSettings | None, overrides: dict[str, Any]) -> NTMSettings:
    known = [field.name for field in dataclasses.fields(NTMSettings)]
    for name in overrides:
        check_known("NTM", name, known)
    return dataclasses.replace(settings or NTMSettings(), **overrides)
