"""The bench of the sLSTM's cells."""

from __future__ import annotations

import pytest

from ntmbench.bench import measure as measuring
from ntmbench.bench.slstm_cells import main, measure


def test_a_row_for_each_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "BLOCK_SECONDS", 0.001)
    table = measure(steps=5, batch=2, heads=2, size=4, seconds=0)
    assert table["form"].tolist() == ["fused", "eager"]
    assert (table["ms"] > 0).all()


def test_a_table_of_all_sizes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measuring, "BLOCK_SECONDS", 0.001)
    assert not main(["--steps", "3", "5", "--batch", "1", "--seconds", "0"])
    shown = capsys.readouterr().out
    assert shown.count("fused") == 3  # and in the header
    assert "2 heads of 24 cells" in shown


def test_sizes_of_zero_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--heads", "0"]) == 2
    assert "--heads" in capsys.readouterr().err
