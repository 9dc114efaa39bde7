"""Every registered task and model keeps the contracts, and the kit finds those that do not."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ntmbench import registry
from ntmbench.answer import Answer, Bits, Chance, Symbols
from ntmbench.data.randomness import RandomWords
from ntmbench.errors import ModelError, SettingError
from ntmbench.model import SequenceModel
from ntmbench.ntm.engines.eager import EagerEngine
from ntmbench.ntm.engines.fused import FusedEngine
from ntmbench.registry import make_model, make_task, model_names, register_model, task_names
from ntmbench.task import Batch, FloatArray, Shortcuts, Task, Variation
from ntmbench.testing import check_engine, check_model, check_task, tasks
from tests.recited import Recited
from tests.small import APART, SMALL


@pytest.mark.parametrize("name", task_names())
def test_task(name: str) -> None:
    check_task(make_task(name))


@pytest.mark.parametrize("name", sorted(set(model_names()) - APART))
def test_model(name: str) -> None:
    check_model(name, **SMALL.get(name, {}))


@pytest.mark.parametrize("positions", ["none", "alibi"])
def test_positions_of_the_transformer(positions: str) -> None:
    check_model("transformer", **SMALL["transformer"], positions=positions)


@pytest.mark.parametrize("mend", ["masked_lookup", "erase_freed", "sharpened_links"])
def test_mended_dnc(mend: str) -> None:
    check_model("dnc", **SMALL["dnc"], **{mend: True})


ENGINES = [
    (name, engine.name) for name in model_names() for engine in registry.engines_of(name)[:-1]
]


@pytest.mark.parametrize(("name", "engine"), ENGINES)
def test_engine(name: str, engine: str) -> None:
    """Against the last of the model's engines, the eager one."""
    *engines, eager = registry.engines_of(name)
    assert eager.name == "eager"
    (found,) = (candidate for candidate in engines if candidate.name == engine)
    model = make_model(name, 4, 3, **SMALL[name])
    inputs = torch.randn(9, 3, 4, generator=torch.Generator().manual_seed(0))
    check_engine(found, eager, model, inputs)


def test_fused_engine_of_the_feedforward_ntm() -> None:
    model = make_model("ntm", 4, 3, **SMALL["ntm"], controller="feedforward", read_heads=2)
    inputs = torch.randn(9, 3, 4, generator=torch.Generator().manual_seed(0))
    check_engine(FusedEngine(), EagerEngine(), model, inputs)


@pytest.mark.parametrize("name", sorted({name for name, _ in ENGINES}))
def test_an_engine_that_cannot_run_is_named_with_its_reason(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    inputs = torch.zeros(3, 2, 4)
    with caplog.at_level("INFO"), torch.autocast("cpu"):
        make_model(name, 4, 3, **SMALL[name])(inputs)
    assert "since the fused engine cannot run inside torch.autocast." in caplog.text
    model = make_model(name, 4, 3, **SMALL[name], engine="fused")
    with torch.autocast("cpu"), pytest.raises(SettingError, match="Allowed: auto, eager"):
        model(inputs)
    with pytest.raises(SettingError, match="Did you mean 'eager'"):
        make_model(name, 4, 3, **SMALL[name], engine="eagre")


@pytest.mark.parametrize("engine", ["auto", "fused", "eager"])
@pytest.mark.parametrize("name", sorted({name for name, _ in ENGINES}))
def test_no_engine_takes_inputs_that_do_not_go_with_the_weights(name: str, engine: str) -> None:
    model = make_model(name, 4, 3, **SMALL[name], engine=engine)
    told = "weights are torch.float32 on cpu, but its inputs torch.float64 on cpu."
    with pytest.raises(ModelError, match=re.escape(told)):
        model(torch.zeros(3, 2, 4, dtype=torch.float64))


# --- What the kit finds. ---


@dataclass(frozen=True)
class Echo(Task):
    """Give back each bit at its own step."""

    fault: str = ""
    version = 1
    name = "echo"
    few_sequences = True

    @property
    def input_width(self) -> int:
        return 2

    @property
    def answer(self) -> Bits:
        return Bits(2)

    @property
    def length_range(self) -> tuple[int, int]:
        return 2, 4

    @property
    def selection_lengths(self) -> tuple[int, ...]:
        return (4, 6)

    @property
    def test_lengths(self) -> tuple[int, ...]:
        return (8, 4) if self.fault == "grid" else (4, 8)

    @property
    def has_input_phase(self) -> bool:
        return False

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        bits = words.bits(length, batch_size, 2).astype(np.float32)
        if self.fault == "impure":
            bits = np.random.default_rng().integers(0, 2, bits.shape).astype(np.float32)
        if self.fault == "global":
            np.random.random()
        mask = np.ones((length, batch_size), np.float32)
        targets: Any = bits.astype(np.float64) if self.fault == "type" else bits.copy()
        if self.fault == "unasked":
            mask[0] = 0
            targets[0] = 1
        return Batch(bits, targets, mask, 1 if self.fault == "start" else 0)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        if self.fault == "oracle":
            return 1 - inputs
        return 2 * inputs if self.fault == "range" else inputs

    @property
    def shortcuts(self) -> Shortcuts:
        return Shortcuts(current=0.0 if self.fault == "shortcut" else 1.0, first=1 / 4)

    @property
    def variations(self) -> dict[str, Variation]:
        return {"as it is": Variation(Echo("oracle"), 3)} if self.fault == "variation" else {}

    def chance(self, length: int) -> Chance:
        return Chance.of_fair_bits(length * (4 if self.fault == "chance" else 2))

    def demand(self, length: int) -> int:
        return 0

    def sources(self, inputs: FloatArray) -> Any:
        steps, size, _ = inputs.shape
        now = np.eye(steps, k=1 if self.fault == "sources" else 0, dtype=bool)
        if self.fault == "more sources":
            now[-1, 0] = True
        if self.fault == "other sources":
            now[-1, [0, -1]] = True, False
        return np.repeat(now[:, np.newaxis], size, axis=1)

    @property
    def input_names(self) -> tuple[str, ...]:
        return {"unnamed": ("one",), "named alike": ("one", "one")}.get(self.fault, ())

    def edits(self, inputs: FloatArray) -> FloatArray:
        return inputs[np.newaxis] if self.fault == "unedited" else super().edits(inputs)

    def shown_at(self, inputs: FloatArray) -> Any:
        shown = super().shown_at(inputs)
        if shown is not None and self.fault == "later":
            shown[0, :, 1] = True
        if shown is not None and self.fault == "apart":
            shown[1, :, 0] = True
        return shown

    def ordered_by(self, inputs: FloatArray) -> Any:
        if self.fault in ("more sources", "other sources"):
            return None
        keys = np.repeat(np.arange(len(inputs))[:, np.newaxis], inputs.shape[1], axis=1).astype(
            float
        )
        if self.fault == "infinite":
            keys[0] = np.inf
        if self.fault == "nothing":
            keys[:] = np.nan
        return keys[:-1] if self.fault == "short" else keys


class Sparse(Echo):
    """It does not say that it has few sequences."""

    few_sequences = False


@pytest.mark.parametrize("task", [Echo(), Recited()], ids=["bits", "numbers"])
def test_a_task_without_a_fault_passes(task: Task) -> None:
    check_task(task)


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("grid", r"test_lengths=\(8, 4\) is not ascending"),
        ("impure", "drawn twice is not the same"),
        ("global", "NumPy's global random state was changed"),
        ("type", "targets are float64"),
        ("unasked", "targets are not zero where nothing is asked"),
        ("start", "a step before the answer's start is scored"),
        ("oracle", "the oracle makes .* errors"),
        ("range", "the oracle: an answer is not a probability"),
        ("variation", "the oracle makes .* errors"),
        ("chance", r"chance\(4\).errors is 8, and the best constant answer has"),
        ("sources", "sources are not those of the scored steps"),
        ("more sources", "the answer at step 3 does not change with step 0, a source of it; .* 80"),
        ("other sources", "the answer at step 3 changes with step 3, which is not a source of it"),
        ("unedited", "no edit changes anything"),
        ("unnamed", "1 names for 2 channels"),
        ("named alike", "two channels have the same name"),
        ("shortcut", "the shortcut 'current' saves 100.0% of .*, and the task declares 0.0%"),
        ("later", "shown_at: an answer is made of a later step"),
        ("apart", "shown_at has items for one answer that ordered_by tells apart"),
        ("infinite", "ordered_by holds numbers that are not finite"),
        ("nothing", "ordered_by has no item in a sequence"),
        ("short", "ordered_by "),
    ],
)
def test_a_faulty_task_is_found(fault: str, found: str) -> None:
    with pytest.raises(AssertionError, match=found):
        check_task(Echo(fault))


def test_repeated_sequences_are_found() -> None:
    with pytest.raises(AssertionError, match="of 256 test sequences of length 4 are there twice"):
        check_task(Sparse())


def test_slow_drawing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "DRAWING_SECONDS", 0.0)
    with pytest.raises(AssertionError, match=r"a batch of 64 at length 4 takes .* ms to draw"):
        check_task(Echo())


@dataclass(frozen=True)
class Coins(Echo):
    """Call coins after others were shown, of which nothing follows; the oracle always ``says``."""

    says: float = 0.5
    deterministic = False

    def draw(self, words: RandomWords, batch_size: int, length: int, *, test: bool) -> Batch:
        shown, tossed = words.bits(2, length, batch_size, 2).astype(np.float32)
        return Batch(shown, tossed, np.ones((length, batch_size), np.float32), 0)

    def oracle(self, inputs: FloatArray) -> FloatArray:
        return np.full_like(inputs, self.says)


@pytest.mark.parametrize(
    ("says", "found"),
    [
        (0.9, "the oracle has a loss of .* bits, and the best constant answer 7.9"),
        (0.5, "the oracle has a loss of 8 bits, and the best constant answer 7.9"),
        (-1.0, "the oracle: an answer is not a probability"),
    ],
)
def test_an_oracle_that_guesses_is_found(says: float, found: str) -> None:
    with pytest.raises(AssertionError, match=found):
        check_task(Coins(says=says))


@dataclass(frozen=True)
class FaultySettings:
    """The fault that the model has."""

    fault: str = ""
    width: int = 5


class Faulty(SequenceModel):
    """A recurrent network with one fault, or none."""

    def __init__(self, inputs: int, outputs: int, settings: FaultySettings) -> None:
        super().__init__()
        self.fault = settings.fault
        self.kind: type[Answer] = Bits
        width = 5 if self.fault == "width" else settings.width
        self.recurrent = nn.GRU(inputs, width, bidirectional=self.fault == "looks ahead")
        self.output = nn.Linear(width * (2 if self.fault == "looks ahead" else 1), outputs)
        self.unused = nn.Linear(2, 2) if self.fault == "unused" else None
        self.places = nn.Embedding(20, width) if self.fault == "places" else None
        if self.fault == "unseeded":
            with torch.no_grad():
                self.output.bias.add_(torch.rand(outputs, generator=_fresh_generator()))

    def forward(self, inputs: Tensor) -> Tensor:
        if self.fault == "edits":
            inputs.mul_(0.5)
        if self.fault == "meets":
            inputs = inputs - inputs.mean(dim=1, keepdim=True)
        if self.fault == "forgets":
            hidden = torch.stack([self.recurrent(step[None])[0][0] for step in inputs])
        else:
            hidden, _ = self.recurrent(inputs)
        if self.fault == "device":
            hidden = hidden + torch.zeros(hidden.shape[-1], device="cpu")
        if self.fault == "extremes":
            much = torch.exp(inputs[..., :1])
            hidden = hidden * much / much
        if self.places is not None:
            hidden = hidden + self.places(torch.arange(len(inputs)))[:, None]
        if self.fault == "symbols" and self.kind is Symbols:
            hidden = hidden.transpose(2, 3)
        if self.fault == "grows":
            hidden = hidden * torch.exp(torch.arange(len(inputs)) * 2.0)[:, None, None]
        logits: Tensor = self.output(hidden)
        if self.fault == "zero gradient":
            return logits.detach() + 0 * logits
        if self.fault == "gradient":
            return logits.detach() + 2 * (logits - logits.detach())
        return logits

    def prepare(self, task: Task) -> None:
        self.kind = type(task.answer)

    def state_floats(self, steps: int) -> int | None:
        return {"hidden state": 0, "moody": 1 + self.training}.get(self.fault)


def _fresh_generator() -> torch.Generator:
    generator = torch.Generator()
    generator.seed()
    return generator


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    monkeypatch.setattr(registry, "_models", dict(registry._models))
    register_model("faulty", settings=FaultySettings, width="width")(Faulty)
    return lambda fault: check_model("faulty", fault=fault)


def test_a_model_without_a_fault_passes(faulty: Callable[[str], None]) -> None:
    faulty("")


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("width", "width=10 has 183 parameters, and width=5 has 183"),
        ("looks ahead", "a step before 1 sees it"),
        ("unused", "no gradient reaches unused.weight, unused.bias"),
        ("unseeded", "two models of one seed differ in output.bias"),
        ("edits", "the model edits its inputs"),
        ("meets", "sequences of a batch meet"),
        ("extremes", "give logits that are not numbers"),
        ("gradient", "recurrent.weight_ih_l0: slope .*, by finite steps"),
        ("zero gradient", "the gradient is 0 for recurrent.weight_ih_l0, "),
        ("forgets", "earlier inputs do not change the last answer"),
        ("hidden state", "state_floats is 0, and earlier inputs change the last answer"),
        ("moody", "state_floats is 1 outside training and 2 in training"),
        ("places", "70 steps are refused: IndexError"),
        ("symbols", "task cycle_navigation is refused: IndexError"),
        ("grows", "after 70 steps logits are not finite"),
    ],
)
def test_a_faulty_model_is_found(faulty: Callable[[str], None], fault: str, found: str) -> None:
    with pytest.raises(AssertionError, match=found):
        faulty(fault)


def test_a_tensor_on_a_wrong_device_is_found(faulty: Callable[[str], None]) -> None:
    with pytest.raises(RuntimeError, match="meta"):
        faulty("device")


def test_settings_of_the_small_models_are_still_theirs() -> None:
    for name, chosen in SMALL.items():
        known = {field.name for field in dataclasses.fields(registry.model_entry(name).settings)}
        assert set(chosen) <= known
