"""The bench of the matrix states."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ntmbench.bench import linear_state as bench
from ntmbench.bench import measure as measuring
from ntmbench.bench.linear_state import CHUNKS, KINDS, Kind, draw, measure, quickest_chunk
from ntmbench.engine.linear_state import linear_state, linear_state_eager


def test_operations_counted_by_hand() -> None:
    """For an entry of S: S + v k, and S q as a product and a sum; then what a kind adds."""
    assert KINDS["linear_attention"].operations == 2 + 2
    assert KINDS["mamba2"].operations == 2 + 1 + 2
    # S b as a product and a sum, and S - (S b) a.
    assert KINDS["delta_net"].operations == 2 + 4 + 2
    assert KINDS["gated_delta_net"].operations == KINDS["rwkv7"].operations == 2 + 1 + 4 + 2
    assert KINDS["delta_product"].operations == 2 * (2 + 4) + 2
    assert Kind("three", "scalar", True, every=3).operations == 3 * (2 + 1 + 4) + 2


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_kind_is_drawn_for_its_forms(kind: Kind) -> None:
    drawn, leaves = draw(kind, 5, 2, 3, 4)
    arguments: dict[str, object] = dict(drawn)
    outputs, last = linear_state_eager(**arguments)  # type: ignore[arg-type]
    assert outputs.shape == (5, 2, 3, 4)
    fused, _ = linear_state(**arguments)  # type: ignore[arg-type]
    torch.testing.assert_close(outputs, fused)
    key = drawn["key"]
    assert isinstance(key, Tensor)
    assert len(key) == 5 * kind.every
    assert last.shape == (2, 3, 4, 4)
    assert all(leaf.requires_grad for leaf in leaves)


def test_a_row_for_each_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "BLOCK_SECONDS", 0.001)
    table = measure(KINDS["delta_product"], steps=5, batch=2, heads=2, width=4, seconds=0)
    assert table["form"].tolist() == ["fused", "chunked 16", "eager"]
    assert (table["ms"] > 0).all()
    # Forward, and twice as much backward: 14 operations for each number of the states.
    assert (table["operations"] == 3 * 14 * 5 * 2 * 2 * 4 * 4).all()


@pytest.mark.parametrize(
    ("steps", "taken", "tried", "quickest"),
    [
        (300, {16: 4.0, 32: 3.0, 64: 2.0, 128: 2.5}, CHUNKS, 64),
        (300, {16: 1.0, 32: 3.0}, (16, 32), 16),
        (41, {16: 4.0, 32: 3.0, 64: 2.0}, (16, 32, 64), 64),
        (7, {16: 4.0}, (16,), 16),
    ],
)
def test_the_quickest_chunk_is_found(
    steps: int,
    taken: dict[int, float],
    tried: tuple[int, ...],
    quickest: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def timed(chunk: int) -> int:
        asked.append(chunk)
        return chunk

    monkeypatch.setattr(bench, "chunked_by", timed)
    monkeypatch.setattr(bench, "step", lambda *_: None)
    monkeypatch.setattr(bench, "median_seconds", lambda *_: taken[asked[-1]])
    assert quickest_chunk({}, [], steps) == quickest
    assert tuple(asked) == tried


def test_what_cannot_be_measured_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--kinds", "delta_ne"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("Did you mean 'delta_net'?")
    assert bench.main(["--heads", "0"]) == 2
    assert "--heads=0" in capsys.readouterr().err
