"""The bench of the DNC's engine."""

from __future__ import annotations

import time

import pytest

from ntmbench.bench import dnc, measure


def test_a_row_for_each_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dnc, "pypi_is_installed", lambda: False)  # it takes seconds to import
    monkeypatch.setattr(measure, "BLOCK_SECONDS", 0.001)
    tiny = dnc.Sizes("tiny", slots=4, words=3, heads=2, units=5)
    table = dnc.measure(tiny, steps=3, batch=2, seconds=0, clock=time.process_time)
    assert table["form"].tolist() == ["fused", "eager"]
    assert table["over_fused"].tolist() == (table["ms"] / table["ms"][0]).tolist()
    assert (table["ms"] > 0).all()


def test_a_size_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert dnc.main(["--batch", "1", "0"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "ntmbench.bench.dnc: --batch=0 is out of range. Allowed: 1 or more."


@pytest.mark.slow  # the package takes seconds to import
def test_the_package_is_timed_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dnc", reason="PyPI's dnc is not installed (oracles)")
    monkeypatch.setattr(measure, "BLOCK_SECONDS", 0.001)
    tiny = dnc.Sizes("tiny", slots=4, words=3, heads=2, units=5)
    table = dnc.measure(tiny, steps=3, batch=2, seconds=0, clock=time.perf_counter)
    assert table["form"].tolist() == ["fused", "eager", "PyPI's dnc"]
