"""The benchmark: counts, times, files and refusals."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from subprocess import CalledProcessError

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ntmbench.bench import drawing, growth, measure, peer, table
from ntmbench.bench.__main__ import main
from ntmbench.bench.cases import CASES, Case, Contender, contenders, training_step
from ntmbench.bench.floor import matrix_product_rate, step_operations, training_operations
from ntmbench.bench.growth_plot import growth_png
from ntmbench.bench.memory import RESET, MemoryProbe, memory_probe
from ntmbench.bench.trainer import measure_trainer
from ntmbench.engine.places import kept_interval
from ntmbench.model import TensorBatch
from ntmbench.ntm.cell import NTMCell
from ntmbench.ntm.kernels.layout import Problem, make_layout
from ntmbench.ntm.settings import NTMSettings
from ntmbench.registry import make_task, task_names

SMALL = NTMSettings(controller_size=8, memory_slots=8, word_size=4)
TINY = Case("tiny", "copy", 2, SMALL)
GROWING = {
    "T": {case.steps: case for case in (TINY, Case("longer", "copy", 4, SMALL))},
    "N": {n: Case(f"{n}", "copy", 2, dataclasses.replace(SMALL, memory_slots=n)) for n in (8, 16)},
}
NO_PROBE = MemoryProbe(None, 1)

small_settings = st.builds(
    NTMSettings,
    controller=st.sampled_from(["lstm", "feedforward"]),
    controller_size=st.integers(1, 40),
    controller_layers=st.integers(1, 3),
    memory_slots=st.integers(2, 200),
    word_size=st.integers(1, 30),
    read_heads=st.integers(1, 4),
    write_heads=st.integers(1, 4),
    shift_width=st.sampled_from([1, 3, 5]),
)


def test_operations_counted_by_hand() -> None:
    sizes = NTMSettings(controller_size=2, memory_slots=3, word_size=2)
    counted = step_operations(sizes, input_width=1, output_width=1)
    # 8 gates see 1 input, 2 numbers read and 2 units of their own: 8 x 5 multiply-adds.
    assert counted.controller == 2 * 8 * 5
    # Both heads ask for a key of 2, three scalars and 3 shifts; the write head for 2 + 2 more.
    assert counted.heads == 2 * 2 * (2 * 8 + 4)
    # 2 keys with 3 rows of 2; the norms of 3 rows; blends of 2 x 3 weights; 3 shifts of them.
    assert counted.addressing == 24 + 12 + 18 + 36
    assert counted.read == 2 * 3 * 2
    assert counted.write == 4 * 3 * 2
    assert counted.output == 2 * 4
    assert counted.total == 80 + 80 + 90 + 12 + 24 + 8
    # Forward once, and backward twice its cost.
    assert training_operations(sizes, 1, 1, steps=5) == 3 * 5 * 294


def test_operations_of_the_papers_copy() -> None:
    # 19.4 million by the first attempt's count, without interpolation and shift.
    assert training_operations(NTMSettings(), 9, 8, steps=42) == pytest.approx(19.4e6, rel=0.02)


@given(small_settings, st.integers(1, 12))
@settings(max_examples=25, deadline=None)
def test_linear_maps_cost_two_operations_a_weight(sizes: NTMSettings, inputs: int) -> None:
    cell = NTMCell(inputs, sizes)
    counted = step_operations(sizes, inputs, 1)
    weights = [p.numel() for p in cell.controller.parameters() if p.ndim == 2]
    assert counted.controller == 2 * sum(weights)
    assert counted.heads == 2 * cell.heads.weight.numel()


@given(small_settings, st.integers(1, 12), st.integers(1, 300))
@settings(max_examples=25, deadline=None)
def test_kept_numbers_are_what_the_kernels_lay_out(
    sizes: NTMSettings, inputs: int, steps: int
) -> None:
    interval = int(np.ceil(np.sqrt(steps)))
    assert kept_interval(steps) == interval
    layout = make_layout(
        Problem(sizes, inputs, 3, sizes.memory_slots, steps, 1, True, interval, lanes=1)
    )
    formula = growth.kept_numbers(sizes, inputs, steps)
    # The formula leaves out a row of what a step hands to the next: there are T + 1 of these.
    row = layout.first_width + layout.layers * (layout.later_width + layout.units)
    assert formula <= layout.kept <= formula + row + layout.heads * layout.slots


def test_matrix_product_rate_is_a_plausible_speed() -> None:
    assert 1e6 < matrix_product_rate(64, repeats=2) < 1e14


@pytest.mark.parametrize(("name", "steps"), [("copy-20", 41), ("copy-120", 241)])
def test_steps_of_copy(name: str, steps: int) -> None:
    assert CASES[name].steps == steps


def test_everybody_trains_on_the_same_batch() -> None:
    first, second = TINY.batch(3), TINY.batch(3)
    assert first.inputs.shape == (5, 3, 9)
    assert np.array_equal(first.inputs, second.inputs)


@pytest.mark.slow
def test_a_step_leaves_gradients_that_agree_between_the_engines() -> None:
    batch = TINY.batch(2)
    gradients = []
    for engine in ("fused", "eager"):
        model = Contender(engine).model(TINY)
        training_step(model, TINY.task, TensorBatch.of(batch, torch.device("cpu")))()
        gradients.append([p.grad for p in model.parameters()])
    for fused, eager in zip(*gradients, strict=True):
        assert fused is not None
        assert eager is not None
        torch.testing.assert_close(fused, eager, rtol=1e-3, atol=1e-6)


def test_blocks_are_taken_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "BLOCK_SECONDS", 0.0)
    called: list[str] = []
    steps = {name: partial(called.append, name) for name in "ab"}
    timings = measure.time_in_turn(steps, seconds=0.0)
    # Two calls of each to warm up, and then one of each in turn.
    assert called == list("aabb") + list("ab") * measure.MIN_ROUNDS
    assert {t.rounds for t in timings.values()} == {measure.MIN_ROUNDS}


def test_a_very_slow_step_is_timed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "SLOW_SECONDS", -1.0)
    assert measure.time_in_turn({"a": lambda: None}, seconds=0.0)["a"].rounds == 1


def test_table_has_a_row_for_every_contender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "BLOCK_SECONDS", 0.001)
    measured = table.measure_case(TINY, 2, contenders([]), seconds=0.0, probe=NO_PROBE)
    rows = table.with_floor(measured, rate=5e9)
    assert list(rows.columns) == table.COLUMNS
    assert list(rows["model"]) == ["fused", "eager", "lstm", "seq2seq"]
    timed = rows[["ms_per_step", "ms_per_sequence", "sequences_per_second", "over_fused"]]
    assert np.isfinite(timed).all(axis=None)
    assert (timed > 0).all(axis=None)
    fused, eager = (rows[rows["model"] == name].iloc[0] for name in ("fused", "eager"))
    assert fused["over_fused"] == 1
    assert eager["over_fused"] == pytest.approx(eager["ms_per_step"] / fused["ms_per_step"])
    assert fused["floor_ms"] == pytest.approx(fused["mflop"] * 1e6 / 5e9 * 1e3)
    assert fused["over_floor"] == pytest.approx(fused["ms_per_step"] / fused["floor_ms"])
    assert fused["mflop"] == 2 * training_operations(SMALL, 9, 8, 5) / 1e6
    # The floor is that of the NTM's equations.
    assert rows.loc[rows["model"] == "lstm", "floor_ms"].isna().all()


@pytest.mark.slow
@pytest.mark.skipif(not RESET.exists(), reason="peak memory is measured on Linux only")
def test_peak_memory_grows_with_what_is_kept() -> None:
    long = Case("long", "copy", 300, SMALL)
    with memory_probe(1) as probe:
        small, large = (probe.peak_bytes(Contender("eager"), long, size) for size in (1, 48))
    assert 0 <= small < large
    # 601 steps of 48 sequences, of which eager keeps at least two memories of 8 x 4 numbers.
    assert large > 601 * 48 * 2 * 8 * 4 * 4


def test_trainer_share_is_a_share() -> None:
    cost = measure_trainer(TINY, Contender("fused"), steps=6, rounds=1, window=2)
    assert cost.step > 0
    assert cost.model > 0
    assert cost.share < 1
    assert all(value > 0 for value in cost.parts.values())
    assert cost.model + sum(cost.parts.values()) + cost.other == pytest.approx(cost.step)


def test_growth_has_slopes_and_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "BLOCK_SECONDS", 0.001)
    reported: list[str] = []
    rows = growth.measure_growth(GROWING, NO_PROBE, seconds=0.0, report=reported.append)
    assert list(rows.columns) == growth.COLUMNS
    assert len(rows) == 8
    assert len(reported) == 4
    assert (rows["ms_per_sequence"] > 0).all()
    fitted = growth.slopes(rows)
    assert set(fitted) == {(g, e) for g in "TN" for e in ("fused", "eager")}
    assert growth_png(rows, fitted).startswith(b"\x89PNG")


def test_slope_of_a_power_law() -> None:
    size = np.array([1, 2, 4, 8, 16, 32])
    rows = pd.DataFrame(
        {"grows": "T", "model": "fused", "size": size, "ms_per_sequence": 3.0 * size**2}
    )
    slope = growth.slopes(rows)["T", "fused"]
    assert slope.everywhere == pytest.approx(2)
    assert slope.upper == pytest.approx(2)


def test_an_engine_is_left_out_where_it_would_take_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(growth, "LONGEST_STEP", 0.0)
    cases = {"T": {case.steps: case for case in (TINY, Case("longer", "copy", 4, SMALL))}}
    rows = growth.measure_growth(cases, NO_PROBE, seconds=0.0, report=lambda _: None)
    assert list(rows["size"]) == [5, 5]


def test_command_writes_what_it_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measure, "BLOCK_SECONDS", 0.001)
    for module in ("__main__", "options"):
        monkeypatch.setattr(f"ntmbench.bench.{module}.CASES", {"tiny": TINY})
    monkeypatch.setattr("ntmbench.bench.memory.RESET", tmp_path / "nowhere")
    out = tmp_path / "out"
    sizes = "--cases tiny --batches 1 2 --threads 1 --seconds 0 --no-first-call --out"
    assert main([*sizes.split(), str(out)]) == 0
    written = pd.read_csv(out / "bench.csv")
    assert list(written.columns) == table.COLUMNS
    assert len(written) == 8
    machine = json.loads((out / "machine.json").read_text())
    assert machine["threads"] == 1
    assert machine["versions"]["torch"] == torch.__version__
    printed = capsys.readouterr().out
    assert "seq2seq" in printed
    assert machine["processor"] in printed


@pytest.mark.parametrize(
    ("failure", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "interrupted; what was not finished was not written"),
        (CalledProcessError(3, "python"), 2, "first training step failed with code 3"),
    ],
    ids=["interrupted", "failed"],
)
def test_a_first_call_that_fails_leaves_what_was_measured_before(
    failure: BaseException,
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(measure, "BLOCK_SECONDS", 0.001)
    for module in ("__main__", "options"):
        monkeypatch.setattr(f"ntmbench.bench.{module}.CASES", {"tiny": TINY})
    monkeypatch.setattr("ntmbench.bench.__main__.growing_cases", lambda: GROWING)
    monkeypatch.setattr("ntmbench.bench.memory.RESET", tmp_path / "nowhere")
    monkeypatch.setattr(subprocess, "run", fail)
    arguments = "--cases tiny --batches 1 --threads 1 --seconds 0 --growth --out"
    assert main([*arguments.split(), str(tmp_path / "out")]) == code
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"bench.csv", "growth.csv", "growth.png", "machine.json"}
    last = capsys.readouterr().err.splitlines()[-1]
    assert said in last


# Stands for a checkout: the peer's interface around one linear map.
PEER = """
import torch


class EncapsulatedNTM(torch.nn.Module):
    def __init__(self, inputs, outputs, size, layers, heads, slots, words):
        super().__init__()
        self.inputs, self.map = inputs, torch.nn.Linear(inputs, outputs)
        assert (size, layers, heads, slots, words) == (8, 1, 1, 8, 4)

    def init_sequence(self, batch_size):
        self.zeros, self.calls = torch.zeros(batch_size, self.inputs), 0

    def forward(self, x=None):
        self.calls += 1
        assert (x is None) == (self.calls > 3)
        return torch.sigmoid(self.map(self.zeros if x is None else x)), None
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for ``ntm/aio.py``; imports from it are undone afterwards."""
    for name in ("ntm", "ntm.aio"):
        monkeypatch.setitem(sys.modules, name, sys)
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "ntm").mkdir()
    (tmp_path / "ntm" / "__init__.py").touch()
    return tmp_path


def test_peer_is_timed_on_the_same_work(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "BLOCK_SECONDS", 0.001)
    (checkout / "ntm" / "aio.py").write_text(PEER)
    rivals = contenders(peer.asked_peers([str(checkout)]))
    rows = table.measure_case(TINY, 2, rivals, seconds=0.0, probe=NO_PROBE)
    assert list(rows["model"])[-1] == "peer"
    assert rows["ms_per_step"].iloc[-1] > 0
    assert str(checkout) not in sys.path


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_module", "No module named 'no_such_module'"),
        (PEER.replace("(8, 1,", "(9, 1,"), "AssertionError"),
        (PEER.replace("calls > 3", "calls > 2"), "AssertionError"),
    ],
)
def test_peer_that_cannot_be_run_is_refused_in_one_line(
    source: str, said: str, checkout: Path
) -> None:
    (checkout / "ntm" / "aio.py").write_text(source)

    def tried() -> None:
        (found,) = peer.asked_peers([str(checkout)])
        Contender("peer", found).step(TINY, TINY.batch(1))()

    with pytest.raises(peer.PeerError) as refused:
        tried()
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--cases", "copy20"], "--cases=copy20 is not a choice."),
        (["--batches", "0"], "--batches=0 is out of range."),
        (["--threads", "0"], "--threads=0 is out of range."),
        (["--peer", "nowhere"], "not a checkout of github.com/loudinthecloud/pytorch-ntm"),
        (["--peer", "dmc"], "Did you mean 'dnc'?"),
        (["--processor", "--threads", "2"], "--processor adds up the time of all 2 threads."),
        (["--models", "grru"], "Did you mean 'gru'?"),
        (["--models", "constant"], "--models=constant is not a choice."),
        (["--out", "file/below"], "file"),
    ],
)
def test_refusals_take_one_line(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1


def test_drawing_is_timed_for_every_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(drawing, "DRAWN", 2)
    assert drawing.main(["--out", str(tmp_path)]) == 0
    found = pd.read_csv(tmp_path / drawing.FILE)
    assert sorted(found["task"]) == task_names()
    assert list(found["ms_per_batch"]) == sorted(found["ms_per_batch"], reverse=True)
    assert found["ms_per_batch"].min() > 0
    assert "ms for 64" in capsys.readouterr().out
    (tmp_path / "taken").touch()
    assert drawing.main(["--out", str(tmp_path / "taken")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_drawing_is_timed_without_what_others_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "DRAWN", 3)
    monkeypatch.setattr(drawing, "_draw", lambda *_: time.sleep(0.05))
    (taken,) = drawing.measure_drawing([make_task("copy")])["ms_per_batch"]
    assert taken < 25
