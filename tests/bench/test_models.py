"""The benchmark of all models: what is counted, written and refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from ntmbench.bench import contestants as contestants_module
from ntmbench.bench import measure, models, models_growth, peer
from ntmbench.bench.__main__ import main
from ntmbench.bench.cases import Case
from ntmbench.bench.contestants import PARAMETERS, Contestant, contestant_names, contestants
from ntmbench.bench.floor import PASSES, training_operations
from ntmbench.bench.memory import MemoryProbe
from ntmbench.bench.models_growth import degree
from ntmbench.bench.operations import counted_operations
from ntmbench.bench.peer import PeerError, Sizes, known_peers
from ntmbench.errors import ModelError
from ntmbench.ntm.settings import NTMSettings
from ntmbench.registry import make_model, model_entry

TINY = Case("tiny", "copy", 2)
NO_PROBE = MemoryProbe(None, 1)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hardly any time for each model, on a tiny case, without processes for memory."""
    monkeypatch.setattr(measure, "BLOCK_SECONDS", 0.001)
    monkeypatch.setattr(models, "CASE", TINY)
    monkeypatch.setattr(models, "matrix_product_rate", lambda **_: 1e10)
    monkeypatch.setattr("ntmbench.bench.memory.RESET", tmp_path / "nowhere")
    monkeypatch.setattr(models_growth, "LENGTHS", (2, 4))


def on_meta(name: str, **settings: Any) -> nn.Module:
    with torch.device("meta"):
        return make_model(name, 9, 8, **settings)


class Plain(nn.Module):
    """A linear map, elementwise products, and what is not counted."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Linear(9, 8)

    def forward(self, inputs: Tensor) -> Tensor:
        mapped: Tensor = self.map(inputs)
        return torch.tanh((1 - mapped) * mapped + mapped) / 2


def test_operations_counted_by_hand() -> None:
    with torch.device("meta"):
        plain = Plain()
    numbers = 5 * 3 * 8
    counted = counted_operations(plain, TINY.task, TINY.batch(3))
    assert counted == PASSES * (2 * 9 * numbers + 3 * numbers)


def test_operations_of_an_ntm_are_about_those_counted_by_hand() -> None:
    counted = counted_operations(on_meta("ntm"), TINY.task, TINY.batch(1))
    assert counted == pytest.approx(training_operations(NTMSettings(), 9, 8, 5), rel=0.08)


def test_a_linear_map_costs_two_operations_a_weight() -> None:
    counted = counted_operations(on_meta("rnn", hidden_size=7, layers=1), TINY.task, TINY.batch(2))
    assert counted == PASSES * 5 * 2 * 2 * (7 * (9 + 7) + 8 * 7)


def test_a_model_that_needs_numbers_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Looking(Plain):
        def forward(self, inputs: Tensor) -> Tensor:
            return super().forward(inputs) if float(inputs.sum()) else inputs

    monkeypatch.setattr(contestants_module, "make_model", lambda *_, **__: Looking())
    with pytest.raises(ModelError, match=r"model=gru cannot run on .* meta"):
        Contestant("gru", {"hidden_size": 2}).operations(TINY, 1)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ([7, 7, 7, 7], "constant"),
        ([7, 9, 11, 13], "linear"),
        ([0, 1, 4, 9], "quadratic"),
        ([0, 1, 8, 27], "more than quadratic"),
    ],
)
def test_degree(values: list[int], word: str) -> None:
    assert degree(values) == word


@pytest.mark.parametrize(
    ("name", "word"),
    [("ttt_linear", "linear"), ("transformer", "quadratic")],  # the first has steps in groups
)
def test_growth_of_operations(name: str, word: str) -> None:
    (found,) = contestants([name], TINY.task, [])
    assert models_growth.degree_of(found) == word


def test_contestants_are_all_models_but_controls() -> None:
    names = set(contestant_names())
    assert {"ntm", "gru", "transformer", "seq2seq"} <= names
    assert not {"constant", "oracle", "memoryless", "custom"} & names


@pytest.mark.slow
def test_every_contestant_has_the_parameters_of_the_budget() -> None:
    for found in contestants(contestant_names(), TINY.task, []):
        built = on_meta(found.model, **found.settings)
        assert PARAMETERS * 0.9 < sum(weight.numel() for weight in built.parameters()) <= PARAMETERS


def test_command_writes_what_it_prints(
    quick: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = (
        "--models rnn gru rnn --batches 2 --threads 1 --seconds 0 --processor --growth --out"
    )
    assert main([*arguments.split(), str(out)]) == 0
    # No file of the NTM's cases.
    assert {path.name for path in out.iterdir()} == {
        "machine.json",
        "models.csv",
        "models_growth.csv",
    }
    written = pd.read_csv(out / "models.csv")
    assert list(written.columns) == models.COLUMNS
    assert list(written["model"]) == ["rnn", "gru"]
    told = written.drop(columns="peak_memory_mb").select_dtypes("number")
    assert np.isfinite(told).all(axis=None)
    one = written.iloc[0]
    assert one["over_floor"] == pytest.approx(one["ms_per_step"] / one["floor_ms"], rel=1e-4)
    assert one["sequences_per_second"] == pytest.approx(2e3 / one["ms_per_step"], rel=1e-4)
    grown = pd.read_csv(out / "models_growth.csv")
    assert list(grown["model"]) == ["gru", "gru", "rnn", "rnn"]
    assert list(grown["steps"]) == [5, 9, 5, 9]
    assert set(grown["operations"]) == {"linear"}
    printed = capsys.readouterr().out
    assert "ms/step" in printed
    assert "T = 9" in printed
    assert "Times are the processor's, not the wall clock's." in printed


def test_a_model_is_left_out_where_it_would_take_too_long(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models_growth, "LONGEST_STEP", 0.0)
    table = models_growth.measure_models_growth(
        contestants(["rnn"], TINY.task, []),
        models_growth.growing_models(),
        seconds=0.0,
        report=lambda _: None,
    )
    assert list(table["steps"]) == [5]
    assert models_growth.drawn_models_growth(table).row_count == 1


def linear_peer(name: str = "linear") -> peer.Peer:
    def build(module: Any, settings: Any, sizes: Sizes) -> nn.Module:
        linear: nn.Module = module.Linear(sizes.inputs, sizes.outputs)
        return linear

    return peer.Peer(name, "gru", "torch.nn", build)


def test_a_peer_stands_below_the_model_that_it_is_beside(quick: None) -> None:
    rivals = contestants(["rnn", "gru"], TINY.task, [linear_peer()])
    table = models.measure_models(rivals, [1], NO_PROBE, seconds=0.0, report=lambda _: None)
    assert list(table["model"]) == ["rnn", "gru", "gru"]
    assert list(table["code"]) == ["ntmbench", "ntmbench", "linear"]
    assert table["parameters"].iloc[-1] == 9 * 8 + 8
    assert table["over_ours"].iloc[-1] == pytest.approx(
        table["ms_per_step"].iloc[-1] / table["ms_per_step"].iloc[1]
    )
    assert pd.isna(table["floor_ms"].iloc[-1])


def test_a_peer_that_fails_is_told_in_one_line() -> None:
    def build(module: ModuleType, settings: Any, sizes: Sizes) -> nn.Module:
        raise RuntimeError("two\nlines")

    with pytest.raises(PeerError, match="--peer p cannot be run: RuntimeError: two lines"):
        peer.Peer("p", "gru", "torch", build).made(None, Sizes(1, 1, 1))


def test_a_package_that_is_not_there_is_told_how_to_install() -> None:
    absent = peer.Peer("p", "gru", "no_such_module", linear_peer().build)
    with pytest.raises(PeerError, match=r"--peer p is not installed: pip install"):
        absent.check()


def test_a_peer_beside_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ntmbench.bench.options.asked_peers", lambda _: [linear_peer()])
    assert main(["--models", "rnn", "--peer", "linear"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "--peer linear is timed beside gru, which is not measured" in err
    assert err.count("\n") == 1


PACKAGES = [known for known in known_peers() if known.repository is None]


@pytest.mark.slow  # some packages take seconds to import
@pytest.mark.parametrize("known", PACKAGES, ids=lambda known: f"{known.name}-{known.beside}")
def test_packages_are_built_with_the_sizes_of_ours(known: peer.Peer) -> None:
    pytest.importorskip(known.module, reason="pip install -e .[oracles]")
    known.check()
    ours, theirs = contestants([known.beside], TINY.task, [known])
    built = theirs.made(TINY.task, TINY.steps)
    with torch.device("meta"):
        expected = sum(weight.numel() for weight in ours.made(TINY.task, 5).parameters())
    assert sum(weight.numel() for weight in built.parameters()) == pytest.approx(expected, rel=0.02)
    theirs.step(TINY, TINY.batch(2))()


def test_peers_stand_beside_models_that_are_measured() -> None:
    assert {known.beside for known in known_peers()} <= set(contestant_names())
    for known in known_peers():
        assert model_entry(known.beside).width is not None


@pytest.mark.slow
def test_no_kernel_of_another_model_is_compiled(tmp_path: Path) -> None:
    arguments = "-m ntmbench.bench --models rnn --batches 1 --threads 1 --seconds 0 --out"
    ended = subprocess.run(
        [sys.executable, *arguments.split(), str(tmp_path / "out")],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=True,
    )
    compiled = [line for line in ended.stderr.splitlines() if line.startswith("Compiling")]
    assert len(compiled) == 1
    assert compiled[0].startswith("Compiling the loss")
