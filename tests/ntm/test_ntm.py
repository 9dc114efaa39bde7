"""The NTM: shapes, independence of sequences, addressing in place, resizing, every setting."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from ntmbench.errors import SettingError
from ntmbench.ntm.initial import resized_memory, smooth_code
from ntmbench.ntm.model import NTM
from ntmbench.ntm.settings import CONTROLLERS, NTMSettings
from ntmbench.registry import make_model

SMALL: dict[str, Any] = {"controller_size": 7, "memory_slots": 6, "word_size": 4}

VARIANTS: list[dict[str, Any]] = [
    {},
    {"controller": "gru"},
    {"controller": "rnn"},
    {"controller": "feedforward"},
    {"controller": "feedforward", "controller_layers": 2, "initial_state": "learned"},
    {"controller": "gru", "controller_layers": 2, "initial_state": "learned"},
    {"controller_layers": 3, "initial_state": "learned"},
    {"read_heads": 3, "write_heads": 2},
    {"read_heads": 2, "write_heads": 2, "shared_heads": True},
    {"key_size": 2},
    {"shift_width": 1},
    {"shift_width": 5},
    {"shift_width": 9},
    {"initial_memory": "learned"},
    {"initial_memory": "code"},
    {"initial_memory": "random"},
    {"initial_memory_value": 0.0},
    {"initial_weighting": "uniform"},
    {"initial_weighting": "learned"},
]
FUSED = ("lstm", "feedforward")
both_engines = pytest.mark.parametrize(
    "overrides",
    [
        {"engine": engine} | overrides
        for engine in ("fused", "eager")
        for overrides in VARIANTS
        if engine == "eager" or overrides.get("controller", "lstm") in FUSED
    ],
    ids=str,
)


def machine(**overrides: Any) -> NTM:
    torch.manual_seed(0)
    return NTM(3, 2, **(SMALL | overrides))


def sequences(steps: int = 5, batch: int = 3) -> Tensor:
    return torch.rand(steps, batch, 3, generator=torch.Generator().manual_seed(1))


@both_engines
def test_logits_and_gradients_of_every_setting(overrides: dict[str, Any]) -> None:
    model = machine(**overrides)
    logits = model(sequences())
    assert logits.shape == (5, 3, 2)
    logits.square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@both_engines
def test_sequences_do_not_see_each_other(overrides: dict[str, Any]) -> None:
    model = machine(**overrides)
    inputs = sequences()
    alone = torch.cat([model(inputs[:, i : i + 1]) for i in range(3)], dim=1)
    torch.testing.assert_close(model(inputs), alone)


@both_engines
def test_children_of_layers_may_come_in_any_order(overrides: dict[str, Any]) -> None:
    model = machine(**overrides)
    before = model(sequences())
    for layer in model.cell.controller.layers:
        maps = dict(layer.named_children())
        for name in maps:
            delattr(layer, name)
        layer.add_module("watch", nn.Identity())
        for name in reversed(maps):
            layer.add_module(name, maps[name])
    assert torch.equal(model(sequences()), before)
    assert {id(tensor) for tensor in model.tensors()} >= {id(p) for p in model.parameters()}


@both_engines
def test_trace(overrides: dict[str, Any]) -> None:
    model = machine(**overrides)
    configuration = model.settings
    reads, writes = configuration.read_heads, configuration.write_heads
    inputs = sequences()
    trace = model.trace(inputs)
    torch.testing.assert_close(trace.logits, model(inputs))
    assert trace["read_weightings"].shape == (5, 3, reads, 6)
    assert trace["write_weightings"].shape == (5, 3, writes, 6)
    assert trace["reads"].shape == (5, 3, reads, 4)
    assert trace["erases"].shape == trace["adds"].shape == (5, 3, writes, 4)
    assert trace["memory"].shape == (5, 3, 6, 4)
    assert trace["shift"].shape == (5, 3, configuration.heads, configuration.shift_width)
    for weighting in (trace["read_weightings"], trace["write_weightings"], trace["shift"]):
        torch.testing.assert_close(weighting.sum(-1), torch.ones(weighting.shape[:-1]))
        assert (weighting >= 0).all()
    for gate in (trace["interpolation_gate"], trace["erases"]):
        assert ((gate >= 0) & (gate <= 1)).all()
    assert (trace["key_strength"] >= 0).all()
    assert (trace["sharpening"] >= 1).all()
    # A step reads what the step before left in the memory.
    read = trace["read_weightings"][1:] @ trace["memory"][:-1]
    torch.testing.assert_close(trace["reads"][1:], read)


@pytest.mark.parametrize("engine", ["fused", "eager"])
def test_learned_initial_values_get_gradients(engine: str) -> None:
    learned = {"initial_memory": "learned", "initial_weighting": "learned"}
    model = machine(**learned, initial_state="learned", controller_layers=2, engine=engine)
    model(sequences()).square().sum().backward()
    names = ("first_controller", "first_reads", "first_memory", "weighting_logits")
    for name in names:
        parameter = model.get_parameter(name)
        assert parameter.grad is not None
        assert parameter.grad.abs().max() > 0, name


def steer(model: NTM, move: int) -> None:
    """Make every head ignore content and move by ``move`` slots at every step."""
    _, _, gate, _, _, sharpening, shift = torch.split(model.cell.heads.bias, model.cell.head_sizes)
    with torch.no_grad():
        model.cell.heads.weight.zero_()
        gate.fill_(-200.0)
        shift.view(model.settings.heads, -1)[:, model.settings.shift_width // 2 + move] = 200.0
        sharpening.fill_(10.0)


@pytest.mark.parametrize("engine", ["fused", "eager"])
@pytest.mark.parametrize("move", [-1, 0, 1])
def test_direction_of_the_shift(move: int, engine: str) -> None:
    model = machine(engine=engine)
    steer(model, move)
    trace = model.trace(sequences())
    for weighting in (trace["read_weightings"], trace["write_weightings"]):
        slots = weighting.argmax(-1)[:, 0, 0].tolist()
        assert slots == [(move * step) % 6 for step in range(1, 6)]


@both_engines
@pytest.mark.parametrize("slots", [3, 6, 15])
def test_resized_memory(overrides: dict[str, Any], slots: int) -> None:
    model = machine(**overrides)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.memory_slots = slots
    trace = model.trace(sequences())
    assert trace["memory"].shape[2] == slots
    torch.testing.assert_close(
        trace["read_weightings"].sum(-1), torch.ones(5, 3, model.settings.read_heads)
    )
    assert model.state_dict().keys() == before.keys()
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_further_slots_repeat_a_learned_memory_and_get_no_learned_weight() -> None:
    model = machine(initial_memory="learned", initial_weighting="learned")
    small = model.initial_weightings()
    model.memory_slots = 15
    memory, weightings = model.initial_memory(), model.initial_weightings()
    assert torch.equal(memory[:6], model.first_memory)
    assert torch.equal(memory[6:12], model.first_memory)
    assert torch.equal(weightings[:, :6], small)
    assert not weightings[:, 6:].any()


@pytest.mark.parametrize("overrides", VARIANTS, ids=str)
def test_what_stands_before_the_first_step_is_not_shared(overrides: dict[str, Any]) -> None:
    model = machine(**overrides)
    before = model(sequences())
    with torch.no_grad():
        state = model.initial_state(1)
        layers = [tensor for layer in state.controller for tensor in layer]
        for tensor in (model.initial_weightings(), model.initial_memory(), *layers, *state[1:]):
            tensor += 1
    assert torch.equal(model(sequences()), before)


def test_a_random_memory_is_kept_with_the_weights() -> None:
    model = machine(initial_memory="random")
    other = machine(initial_memory="random")
    with torch.no_grad():
        other.first_memory += 1
    other.load_state_dict(model.state_dict())
    assert torch.equal(other(sequences()), model(sequences()))


@pytest.mark.parametrize("write_heads", [1, 2])
@pytest.mark.parametrize("engine", ["fused", "eager"])
@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.data(), st.integers(0, 2**16))
def test_extremes_stay_finite(
    engine: str, write_heads: int, data: st.DataObject, seed: int
) -> None:
    torch.manual_seed(seed)
    model = NTM(
        3,
        2,
        **SMALL,
        engine=engine,
        controller=data.draw(st.sampled_from(FUSED if engine == "fused" else CONTROLLERS)),
        write_heads=write_heads,
        read_heads=2,
        initial_memory="learned",
        initial_weighting="learned",
        initial_state="learned",
    )
    with torch.no_grad():
        model.cell.heads.weight *= data.draw(st.sampled_from([0.0, 1.0, 30.0, -1e4]))
        model.first_memory *= data.draw(st.sampled_from([0.0, 1e-30, 1.0, 1e8]))
    inputs = torch.rand(4, 2, 3) * data.draw(st.sampled_from([0.0, 1e-30, 1.0, -1e6, 1e30]))
    inputs.requires_grad_()
    logits = model(inputs)
    assert logits.isfinite().all()
    logits.sum().backward()
    for name, tensor in (("inputs", inputs), *model.named_parameters()):
        # Without a state there is none to learn.
        if tensor.numel() > 0:
            assert tensor.grad is not None, name
            assert tensor.grad.isfinite().all(), name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("controller", "lstmm"),
        ("controller_size", 0),
        ("controller_layers", 0),
        ("memory_slots", 1),
        ("word_size", 0),
        ("read_heads", 0),
        ("write_heads", 0),
        ("shift_width", 2),
        ("shift_width", -1),
        ("initial_memory", "zero"),
        ("initial_memory_value", float("nan")),
        ("initial_weighting", "onehot"),
        ("initial_state", "learnt"),
        ("memory_slots", 2.5),
        ("memory_slots", 8.0),
        ("read_heads", "3"),
        ("word_size", None),
        ("controller_layers", True),
    ],
)
def test_refused_settings(name: str, value: object) -> None:
    with pytest.raises(SettingError, match=f"model.{name}="):
        NTMSettings(**{name: value})  # type: ignore[arg-type]


def test_unknown_setting_names_the_nearest() -> None:
    with pytest.raises(SettingError, match="Did you mean 'memory_slots'"):
        NTM(3, 2, memory_slot=5)


@pytest.mark.parametrize("name", ["input_width", "output_width"])
@pytest.mark.parametrize("value", [0, 2.0, "3"])
def test_refused_widths(name: str, value: object) -> None:
    widths: dict[str, Any] = {"input_width": 3, "output_width": 2} | {name: value}
    with pytest.raises(SettingError, match=f"{name}="):
        NTM(**widths)


@pytest.mark.parametrize("slots", [1, 2**31, 2.0, "8"])
@pytest.mark.parametrize("call", [NTM.forward, NTM.trace])
def test_refused_slots_at_evaluation(slots: Any, call: Callable[[NTM, Tensor], object]) -> None:
    model = machine()
    model.memory_slots = slots
    with pytest.raises(SettingError, match=f"memory_slots={slots!r}"):
        call(model, sequences())


def test_slots_counted_by_numpy() -> None:
    model, counted = machine(memory_slots=8), machine(memory_slots=np.int64(6))
    counted.memory_slots = np.int64(8)  # type: ignore[assignment]
    assert torch.equal(counted(sequences()), model(sequences()))


def test_built_by_name_from_a_seed_alone() -> None:
    one, two, other = (make_model("ntm", 3, 2, seed=seed, **SMALL) for seed in (5, 5, 6))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert not torch.equal(next(one.parameters()), next(other.parameters()))


def test_shared_heads_write_where_they_read() -> None:
    model = machine(read_heads=2, write_heads=1, shared_heads=True)
    trace = model.trace(sequences())
    assert torch.equal(trace["write_weightings"][:, :, 0], trace["read_weightings"][:, :, 0])
    assert trace["key_strength"].shape[-1] == 2  # the write head has no addressing of its own


def test_shared_heads_need_a_read_head_each() -> None:
    with pytest.raises(SettingError, match=r"Allowed: 2 or more read heads"):
        machine(read_heads=1, write_heads=2, shared_heads=True)


@pytest.mark.parametrize("engine", ["fused", "eager"])
def test_only_the_first_numbers_of_a_slot_are_compared(engine: str) -> None:
    """What lies behind them moves no head, as long as nothing is read."""
    model = machine(engine=engine, key_size=1, initial_memory="learned")
    weightings = []
    for change in (0.0, 5.0):
        with torch.no_grad():
            model.first_memory[:, 1:] += change
        weightings.append(model.trace(sequences(steps=1))["read_weightings"])
    assert torch.equal(weightings[0], weightings[1])
    with torch.no_grad():
        model.first_memory[0, 0] += 5
    assert not torch.equal(model.trace(sequences(steps=1))["read_weightings"], weightings[0])


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_the_gain_scales_the_inputs_weights_alone(controller: str) -> None:
    plain, gained = (machine(controller=controller, input_gain=gain) for gain in (1.0, 8.0))
    for before, after in zip(
        plain.cell.controller.linears(), gained.cell.controller.linears(), strict=True
    ):
        torch.testing.assert_close(after.weight[:, :3], 8 * before.weight[:, :3])
        assert torch.equal(after.weight[:, 3:], before.weight[:, 3:])


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("count", [1, 2])
def test_heads_that_write_begin_in_a_row(count: int, shared: bool) -> None:
    sizes = {"read_heads": 2, "write_heads": 2, "shared_heads": shared, "memory_slots": 16}
    plain, in_row = (machine(**sizes, row_heads=heads) for heads in (0, count))
    for name, weight in plain.named_parameters():
        alike = torch.equal(weight, in_row.get_parameter(name))
        assert alike == (name != "cell.heads.bias"), name
    steps = 5
    row = torch.arange(1, steps + 1)[:, None].expand(steps, len(sequences()[0]))
    for model, heads in ((plain, 0), (in_row, count)):
        places = model.trace(sequences(steps=steps))["write_weightings"].argmax(dim=3)  # [T, B, W]
        assert [torch.equal(places[..., head], row) for head in (0, 1)] == [
            head < heads for head in (0, 1)
        ]
    reading = in_row.trace(sequences(steps=steps))["read_weightings"]
    still = plain.trace(sequences(steps=steps))["read_weightings"]
    assert torch.equal(reading[0], still[0]) == (not shared)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"row_heads": 1, "shift_width": 1}, "model.shift_width=1 does not allow. Allowed: 3, 5"),
        ({"row_heads": 2}, "Allowed: from 0 to 1"),
    ],
)
def test_a_row_needs_heads_and_a_shift_by_one(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        machine(**settings)


def test_neighbours_are_alike_in_a_code() -> None:
    """The cosines are those of the C library, to its last digits."""
    code = smooth_code(16, 20).double()
    place = math.pi * (torch.arange(16, dtype=torch.float64) + 0.5) / 16
    waves = [turn(k * place) for k in range(1, 5) for turn in (torch.cos, torch.sin)]
    torch.testing.assert_close(code, 0.5 * torch.stack(waves, dim=1), rtol=0, atol=1e-7)
    distance = torch.cdist(code, code)
    assert distance[:, 0].diff().gt(0)[:4].all()  # the farther, the less alike
    assert smooth_code(16, 1).shape == (16, 0)
    assert smooth_code(16, 5).shape == (16, 4)


@given(st.integers(2, 40), st.integers(2, 40))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_a_code_of_another_size_has_rows_between(rows: int, slots: int) -> None:
    """What lies on a line stays on it, away from the ends."""
    line = torch.arange(rows, dtype=torch.float64).unsqueeze(1)
    resized = resized_memory(line, slots)
    expected = ((torch.arange(slots) + 0.5) * rows / slots - 0.5).clamp(0, rows - 1)
    torch.testing.assert_close(resized[:, 0], expected.double(), rtol=0, atol=1e-5)
    assert torch.equal(resized_memory(line, rows), line)
