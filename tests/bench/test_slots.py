"""The bench of memories of growing size."""

from __future__ import annotations

import pytest

from ntmbench.bench import slots
from ntmbench.bench.slots import Options, main, measure


def test_a_row_for_each_size() -> None:
    table = measure(Options(["sparse_memory"], [4, 2000], length=[3, 2], batch=1, seconds=0))
    # Its memory has 1024 slots from the start.
    assert table["slots"].tolist() == [1024, 1999] * 2
    assert table["steps"].tolist() == [5, 5, 7, 7]
    assert (table["ms"] > 0).all()


def test_what_takes_too_long_ends_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The smallest memory at the shortest length is too slow already."""
    monkeypatch.setattr(slots, "SLOW_SECONDS", 0.0)
    options = Options(["sparse_memory", "ntm"], [2000, 3000], length=[2, 3], batch=1, seconds=0)
    table = measure(options)
    assert table["model"].tolist() == ["sparse_memory", "ntm"]
    assert table["slots"].tolist() == [1999, 2048]  # the NTM has a power of two
    assert table["steps"].tolist() == [5, 5]


def test_a_model_without_slots_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--models", "lstm", "--slots", "4"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("ntmbench.bench.slots: --models lstm has no memory")
    assert len(told.splitlines()) == 1


def test_an_unknown_model_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--models", "sparse_memery"]) == 2
    assert "Did you mean 'sparse_memory'?" in capsys.readouterr().err
