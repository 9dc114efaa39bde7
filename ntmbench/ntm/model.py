"""The Neural Turing Machine as a SequenceModel."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from ntmbench.errors import check_known, check_whole
from ntmbench.model import ModelError, SequenceModel
from ntmbench.ntm.cell import HeadOutputs, NTMCell, NTMState
from ntmbench.ntm.controller import LayerState, initialised_linear
from ntmbench.ntm.kernels.engine import is_autocast, use_fused
from ntmbench.ntm.kernels.weights import FirstValues, Weights
from ntmbench.ntm.settings import MAX_SLOTS, NTMSettings
from ntmbench.registry import register_model
from ntmbench.trace import Trace

#: Standard deviation of the memory's first content where it is learned or random.
MEMORY_SPREAD = 0.1


@register_model("ntm", settings=NTMSettings, width="controller_size")
class NTM(SequenceModel):
    """Neural Turing Machine (Graves, Wayne and Danihelka 2014) over whole sequences.

    ``NTM(9, 8, memory_slots=64)`` is a plain ``nn.Module`` that maps inputs ``[T, B, 9]`` to logits
    ``[T, B, 8]``. Its answer at a step is a linear map of what the read heads read at that step and
    of the controller's output.

    Weights start Xavier-uniform and biases at zero, the LSTM's forget gates at one.

    ``memory_slots`` may be set at any time: a learned or random initial memory then repeats its
    rows, and a learned initial weighting gives no weight to further slots. The parameters and the
    ``state_dict`` do not depend on it.

    With ``engine="auto"`` a fused engine runs on CPU wherever it can, and plain PyTorch elsewhere:
    also inside ``torch.func`` transforms, forward mode automatic differentiation,
    ``torch.autocast``, ``torch.compile`` and ``torch.export``. Second derivatives
    (``create_graph=True``) and batches of gradients (``is_grads_batched=True``,
    ``torch.autograd.functional.jacobian(vectorize=True)``, ``torch.func.vmap`` over
    ``torch.autograd.grad``) can not be foreseen in a forward pass: they need ``engine="eager"``,
    and the fused engine's backward pass refuses them with a ModelError.
    """

    memory_slots: int
    first_controller: Tensor
    first_reads: Tensor
    first_memory: Tensor

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
        self._add_initial_values()

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``.

        Raises:
            ValueError: if the inputs are of another shape.
            ModelError: if the inputs are of another type or on another device than the weights,
                or these differ among themselves.
            SettingError: if ``model.engine`` is fused and can not run this, or for a
                ``memory_slots`` that is no whole number from 2 to MAX_SLOTS.
        """
        self._check(inputs)
        first, weights = self._first_values(), self._weights()
        if self._use_fused(inputs, first, weights):
            # Imported here: it brings Numba, which takes its time.
            from ntmbench.ntm.kernels import autograd

            return autograd.run(self.settings, inputs, first, weights)
        state = self.initial_state(inputs.shape[1])
        answers = []
        for step_inputs in inputs:  # [B, in]
            outputs, _, state = self.cell(step_inputs, state)
            answers.append(torch.cat([state.reads.flatten(1), outputs], dim=-1))
        logits: Tensor = self.output(torch.stack(answers))
        return logits

    def trace(self, inputs: Tensor) -> Trace:
        """Run inputs ``[T, B, in]`` without gradients and return what the memory did.

        Raises:
            ValueError, ModelError, SettingError: as ``forward``.
        """
        self._check(inputs)
        with torch.no_grad():
            first, weights = self._first_values(), self._weights()
            if self._use_fused(inputs, first, weights):
                from ntmbench.ntm.kernels import autograd

                return autograd.trace(self.settings, inputs, first, weights)
            return self._eager_trace(inputs)

    def _eager_trace(self, inputs: Tensor) -> Trace:
        state = self.initial_state(inputs.shape[1])
        answers: list[Tensor] = []
        asked: list[HeadOutputs] = []
        states: list[NTMState] = []
        for step_inputs in inputs:
            outputs, step_asked, state = self.cell(step_inputs, state)
            answers.append(torch.cat([state.reads.flatten(1), outputs], dim=-1))
            asked.append(step_asked)
            states.append(state)
        weightings = torch.stack([state.weightings for state in states])  # [T, B, H, N]
        return Trace(
            logits=self.output(torch.stack(answers)),
            read_weightings=weightings[:, :, : self.settings.read_heads],
            write_weightings=weightings[:, :, self.settings.read_heads :],
            reads=torch.stack([state.reads for state in states]),
            erases=torch.stack([step.erases for step in asked]),
            adds=torch.stack([step.adds for step in asked]),
            memory=torch.stack([state.memory for state in states]),
            key_strength=torch.stack([step.key_strength for step in asked]),
            interpolation_gate=torch.stack([step.interpolation_gate for step in asked]),
            shift=torch.stack([step.shift for step in asked]),
            sharpening=torch.stack([step.sharpening for step in asked]),
        )

    def initial_state(self, batch_size: int) -> NTMState:
        """The state before the first step for ``batch_size`` sequences, in memory of its own."""
        reads = self.first_reads.repeat(batch_size, 1, 1)
        weightings = self.initial_weightings().repeat(batch_size, 1, 1)
        memory = self.initial_memory().repeat(batch_size, 1, 1)
        return NTMState(self._initial_controller(batch_size), reads, weightings, memory)

    def initial_memory(self) -> Tensor:
        """The memory ``[N, M]`` before the first step, for the present ``memory_slots``."""
        slots = torch.arange(self.memory_slots, device=self.first_memory.device)
        return self.first_memory[slots % len(self.first_memory)]

    def initial_weightings(self) -> Tensor:
        """The weightings ``[H, N]`` before the first step, for the present ``memory_slots``."""
        heads, slots = self.settings.heads, self.memory_slots
        kind, like = self.settings.initial_weighting, self.first_memory
        if kind == "uniform":
            return like.new_full((heads, slots), 1 / slots)
        if kind == "one_hot":
            weightings = like.new_zeros(heads, slots)
            weightings[:, 0] = 1
            return weightings
        known = torch.softmax(self.weighting_logits[:, :slots], dim=-1)
        return torch.cat([known, like.new_zeros(heads, slots - known.shape[1])], dim=-1)

    def _check(self, inputs: Tensor) -> None:
        check_whole("memory_slots", self.memory_slots, 2, MAX_SLOTS)
        if inputs.ndim != 3 or inputs.shape[2] != self.input_width or 0 in inputs.shape:
            raise ValueError(
                f"NTM takes inputs [T, B, {self.input_width}], T and B at least 1; "
                f"these are {list(inputs.shape)}."
            )

    def _use_fused(self, inputs: Tensor, first: FirstValues, weights: Weights) -> bool:
        """Whether the fused engine runs this; ModelError where no engine could."""
        tensors = (*first, *weights.flat())
        if not is_autocast(inputs.device.type):  # which converts what it must
            _check_kinds(inputs, tensors)
        return use_fused(self.settings, inputs, tensors)

    def _first_values(self) -> FirstValues:
        """What stands before the first step, as the fused engine takes it."""
        return FirstValues(
            self.first_controller,
            self.first_reads,
            self.first_memory,
            self.initial_weightings(),
        )

    def _weights(self) -> Weights:
        """All linear maps, as the fused engine takes them."""
        layers = self.cell.controller.layers
        linears = [cast(nn.Linear, linear) for layer in layers for linear in layer.children()]
        return Weights(
            [(linear.weight, linear.bias) for linear in linears],
            (self.cell.heads.weight, self.cell.heads.bias),
            (self.output.weight, self.output.bias),
        )

    def _initial_controller(self, batch_size: int) -> tuple[LayerState, ...]:
        return tuple(
            tuple(state.repeat(batch_size, 1) for state in layer) for layer in self.first_controller
        )

    def _add_initial_values(self) -> None:
        """Add what stands before the first step: parameters where learned, buffers otherwise.

        Constants are not persistent, so that they are no part of the ``state_dict``.
        """
        settings = self.settings
        slots, words = settings.memory_slots, settings.word_size
        learned = settings.initial_state == "learned"
        states = (
            settings.controller_layers,
            self.cell.controller.states,
            settings.controller_size,
        )
        # [layers, states, controller_size] and [R, M]
        self._add_value("first_controller", torch.zeros(states), learned and states[1] > 0)
        self._add_value("first_reads", torch.zeros(settings.read_heads, words), learned)

        if settings.initial_memory == "constant":
            row = torch.full((1, words), settings.initial_memory_value)
            self._add_value("first_memory", row, False)
        elif settings.initial_memory == "random":
            self.register_buffer("first_memory", torch.randn(slots, words) * MEMORY_SPREAD)
        else:
            self._add_value("first_memory", torch.randn(slots, words) * MEMORY_SPREAD, True)

        if settings.initial_weighting == "learned":
            # Half of the weight on slot 0: equal weights on equal rows would stay equal for ever.
            logits = torch.zeros(settings.heads, slots)
            logits[:, 0] = math.log(slots - 1)
            self.weighting_logits = nn.Parameter(logits)

    def _add_value(self, name: str, value: Tensor, learned: bool) -> None:
        if learned:
            self.register_parameter(name, nn.Parameter(value))
        else:
            self.register_buffer(name, value, persistent=False)


def _check_kinds(inputs: Tensor, tensors: Sequence[Tensor]) -> None:
    """Raise ModelError unless all tensors are alike and the inputs go with them.

    Integers and shorter floats go with longer ones.
    """
    if len({(tensor.dtype, tensor.device) for tensor in tensors}) > 1:
        kinds = sorted({_kind(tensor) for tensor in tensors})
        raise ModelError(
            f"The NTM's weights and first values are {' and '.join(kinds)}. "
            "Expected: one type and one device, as model.to(...) gives them."
        )
    like = tensors[0]
    fits = torch.promote_types(inputs.dtype, like.dtype) == like.dtype
    if not fits or inputs.device != like.device:
        raise ModelError(f"The NTM's weights are {_kind(like)}, but its inputs {_kind(inputs)}.")


def _kind(tensor: Tensor) -> str:
    return f"{tensor.dtype} on {tensor.device}"


def _settings(settings: NTMSettings | None, overrides: dict[str, Any]) -> NTMSettings:
    known = [field.name for field in dataclasses.fields(NTMSettings)]
    for name in overrides:
        check_known("NTM", name, known)
    return dataclasses.replace(settings or NTMSettings(), **overrides)
