"""Installed packages that register tasks, models and observers of their own."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from hydra import compose
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins

from ntmbench import registry
from ntmbench.composition.composing import composing, register_schemas, to_run_config
from ntmbench.composition.groups import NEEDED, OPTIONAL
from ntmbench.composition.schemas import schema
from tests.baselines.tiny_runs import REST, only_run
from tests.conftest import Ended, command

Command = Callable[..., Ended]
pytestmark = pytest.mark.usefixtures("undrawn")

PLUGIN = '''
from dataclasses import dataclass

import numpy as np
from torch import nn

from ntmbench import (
    Batch, Bits, Chance, Observer, SequenceModel, Shortcuts, Task, register_model,
    register_observer, register_task,
)


@register_task("odd_ones")
@dataclass(frozen=True)
class OddOnes(Task):
    """Whether the ones so far are odd in number."""

    bits: int = 4
    share: float = 0.5
    version = 1
    few_sequences = True
    # The first answer is the first input, and a line tells three of four pairs of bits.
    shortcuts = Shortcuts(current=0.25, first=0.25, linear=0.4)

    @property
    def input_width(self):
        return 1

    @property
    def answer(self):
        return Bits(1)

    @property
    def length_range(self):
        return self.bits, self.bits

    @property
    def selection_lengths(self):
        return (self.bits + 1,)

    @property
    def test_lengths(self):
        return (self.bits, 2 * self.bits)

    @property
    def has_input_phase(self):
        return False

    def draw(self, words, batch_size, length, *, test):
        inputs = (words.uniform(length, batch_size, 1) < self.share).astype(np.float32)
        mask = np.ones((length, batch_size), np.float32)
        return Batch(inputs, self.oracle(inputs), mask, 0)

    def oracle(self, inputs):
        return (inputs.cumsum(axis=0) % 2).astype(np.float32)

    def chance(self, length):
        return Chance.of_fair_bits(length)

    def demand(self, length):
        return 1


@dataclass(frozen=True)
class Settings:
    units: int = 5
    leak: float = 0.5
    kind: str = "tanh"


@register_model("leaky-rnn", settings=Settings)
class Leaky(SequenceModel):
    def __init__(self, inputs, outputs, settings):
        super().__init__()
        self.recurrent = nn.RNN(inputs, settings.units, nonlinearity=settings.kind)
        self.output = nn.Linear(settings.units, outputs)

    def forward(self, inputs):
        return self.output(self.recurrent(inputs)[0])


@register_observer("diary")
class Diary(Observer):
    """Writes what it was told into a file of the run's folder."""

    def started(self, run):
        self.told = [f"started {run.answer.unit}"]
        self.file = run.folder / "diary.txt"

    def stepped(self, sequences, loss_bits):
        self.told.append("stepped")

    def validated(self, curve, *, selected):
        self.told.append(f"validated {len(curve)}")

    def tested(self, evaluation):
        self.told.append(f"tested {len(evaluation)}")

    def ended(self, state, reason):
        self.file.write_text("\\n".join([*self.told, f"ended {state}"]))
'''

CONFORM = """
from ntmbench import make_task
from ntmbench.testing import check_model, check_task

check_task(make_task("odd_ones"))
check_model("leaky-rnn")
"""


def install(folder: Path, source: str, module: str) -> Path:
    """Lay out an installed package as pip would; return the folder to look for it in."""
    site = folder / "site"
    info = site / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (site / f"{module}.py").write_text(source)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[ntmbench.plugins]\nbrought = {module}\n")
    return site


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Install a plug-in for as long as the test lasts; the process searches for plug-ins again."""
    Plugins.instance()  # registers Hydra's own, once for all
    store = ConfigStore.instance()
    ours = ("schema", *NEEDED, *OPTIONAL)
    others = {group: node for group, node in store.repo.items() if group not in ours}

    def forget() -> None:
        registry.load_plugins.cache_clear()
        register_schemas.cache_clear()
        schema.cache_clear()
        store.repo = copy.deepcopy(others)

    def install_here(source: str) -> None:
        module = f"brought_{abs(hash(tmp_path))}"
        monkeypatch.syspath_prepend(str(install(tmp_path / "packages", source, module)))

    registry.load_plugins()  # the suite's own are imported once, and remain
    monkeypatch.setattr(registry, "_tasks", dict(registry._tasks))
    monkeypatch.setattr(registry, "_models", dict(registry._models))
    monkeypatch.setattr(registry, "_observers", dict(registry._observers))
    forget()
    yield install_here
    forget()


@pytest.mark.slow
def test_installed_task_and_model(tmp_path: Path) -> None:
    site = install(tmp_path, PLUGIN, "parity_plugin")
    train = (argument for argument in REST if argument.startswith("train"))
    overrides = ("task=odd_ones", "task.bits=6", "model=leaky-rnn", "model.units=7", *train)
    overrides = (*overrides, "observers=[lines,diary]")
    ended = command(*overrides, folder=tmp_path, PYTHONPATH=str(site))
    assert (ended.code, ended.err) == (0, "")
    folder = only_run(tmp_path)
    assert folder.path.name.startswith("odd_ones-leaky-rnn-s0-")
    settings = folder.read_status()["settings"]
    assert settings["task"] == {"name": "odd_ones", "version": 1, "bits": 6, "share": 0.5}
    assert settings["model"] == {"name": "leaky-rnn", "units": 7, "leak": 0.5, "kind": "tanh"}
    assert folder.read_status()["parameters"] == 7 * (1 + 7 + 2) + 8
    assert list(pd.read_csv(folder.evaluation)["length"]) == [6, 12]
    assert (folder.plots / "learning_curve.png").exists()
    told = (folder.path / "diary.txt").read_text().splitlines()
    assert told[0] == "started bit"
    assert told.count("stepped") == 64 / 4
    assert told[-3:] == ["validated 5", "tested 2", "ended finished"]
    assert "observers" not in settings


def test_installed_task_and_model_pass_the_conformance_kit(tmp_path: Path) -> None:
    site = install(tmp_path, PLUGIN, "parity_plugin")
    ended = subprocess.run(
        [sys.executable, "-c", CONFORM],
        env={**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    # On a machine where nothing has run yet, the first loss compiles its kernels, and says so.
    told = [line for line in ended.stderr.splitlines() if not line.startswith("Compiling ")]
    assert (ended.returncode, told) == (0, [])


@pytest.mark.parametrize(
    ("arguments", "wrong", "remedy"),
    [
        (["task=odd_onez"], "task=odd_onez is not a choice. Allowed: ", "Did you mean 'odd_ones'?"),
        (
            ["model=leaky"],
            "model=leaky is not a choice. Allowed: attention_seq2seq, ",
            "Did you mean 'leaky-rnn'?",
        ),
        (["task=odd_ones", "task.bits=many"], "task.bits=many is refused", "Integer"),
        (
            ["task=odd_ones", "task.bitz=3"],
            "Unknown setting task.bitz.",
            "Did you mean 'task.bits'?",
        ),
        (["model=leaky-rnn", "model.leak=high"], "model.leak=high is refused", "Float"),
        (["task=odd_ones", "+task.hard=1"], "task odd_ones has no setting 'hard'", "bits, share"),
        (["task=odd_ones", "model=seq2seq"], "model=seq2seq needs an input phase", "task=odd_ones"),
    ],
)
def test_plug_in_is_checked_like_the_suites_own(
    ntmbench: Command,
    installed: Callable[[str], None],
    tmp_path: Path,
    arguments: list[str],
    wrong: str,
    remedy: str,
) -> None:
    installed(PLUGIN)
    ended = ntmbench(*arguments)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert wrong in ended.err
    assert remedy in ended.err
    assert not (tmp_path / "results").exists()


def test_a_task_of_a_known_family_has_its_budget_and_recipes(
    installed: Callable[[str], None],
) -> None:
    installed(PLUGIN.replace("    version = 1\n", '    version = 1\n    family = "order"\n'))
    with composing():
        ours = [
            to_run_config(compose("config", overrides=["task=odd_ones", f"model={model}"]))
            for model in ("ntm", "lstm")
        ]
        theirs = [
            to_run_config(compose("config", overrides=["task=bucket_sort", f"model={model}"]))
            for model in ("ntm", "lstm")
        ]
    assert ours[0].train == theirs[0].train
    assert ours[0].model_settings == theirs[0].model_settings
    assert ours[1].train.sequences == theirs[1].train.sequences
    wider = ours[1].model_settings.hidden_size  # inputs and answers are narrower here
    assert wider > theirs[1].model_settings.hidden_size


MODEL = (
    "from ntmbench import register_model\nregister_model({name!r}, {settings})(lambda *_: None)\n"
)
BROKEN = {
    "raises": ("raise RuntimeError('it\\nbroke')", "cannot be loaded: RuntimeError: it broke"),
    "imports": ("import nowhere_at_all", "cannot be loaded: ModuleNotFoundError: No module named"),
    "misspelt": ("def task(:", "cannot be loaded: SyntaxError"),
    "taken": (
        "from ntmbench.baselines.recurrent.lstm import LSTMSettings\n"
        + MODEL.format(name="lstm", settings="LSTMSettings"),
        "Two models are registered as 'lstm'.",
    ),
    "untyped": (
        MODEL.format(name="plain", settings="dict"),
        "The settings of model 'plain' are not a dataclass.",
    ),
    "sets": (
        "from dataclasses import dataclass\n@dataclass\nclass S:\n    units: set = frozenset()\n"
        + MODEL.format(name="sets", settings="S"),
        "The settings of model 'sets' are not plain values with defaults",
    ),
    "required": (
        "from dataclasses import dataclass\n@dataclass\nclass S:\n    units: int\n"
        + MODEL.format(name="required", settings="S"),
        "The settings of model 'required' are not plain values with defaults",
    ),
    "undecorated": (
        "from ntmbench import Task, register_task\n"
        "@register_task('half')\nclass Half(Task):\n    version = 1\n",
        "Task 'half' is not a dataclass.",
    ),
    "incomplete": (
        "from dataclasses import dataclass\nfrom ntmbench import Task, register_task\n"
        "@register_task('half')\n@dataclass(frozen=True)\nclass Half(Task):\n    version = 1\n",
        "Task 'half' does not define answer, chance, demand, draw, input_width, length_range, "
        "oracle, selection_lengths, test_lengths.",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_plug_in_is_named_in_one_line(
    ntmbench: Command, installed: Callable[[str], None], tmp_path: Path, name: str
) -> None:
    source, reason = BROKEN[name]
    installed(source)
    ended = ntmbench("task=copy", "model=lstm")
    assert (ended.code, ended.err.count("\n")) == (2, 1), ended.err
    assert ended.err.startswith(("ntmbench: Plug-in 'brought' (brought_", "ntmbench: The settings"))
    assert reason in ended.err
    assert not (tmp_path / "results").exists()


def test_suite_works_again_without_the_plug_in(
    ntmbench: Command, installed: Callable[[str], None]
) -> None:
    ended = ntmbench("task=odd_ones")
    assert ended.code == 2
    assert "task=odd_ones is not a choice" in ended.err
