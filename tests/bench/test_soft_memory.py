"""The bench of networks with stacks and tapes."""

from __future__ import annotations

import pytest
import torch

from ntmbench.bench import measure as measuring
from ntmbench.bench.soft_memory import MODELS, Options, main, measure


def test_a_row_for_each_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "BLOCK_SECONDS", 0.001)
    options = Options(list(MODELS), 2, [1], parameters=8000, threads=1, seconds=0, processor=True)
    table = measure(options)
    assert table["form"].tolist() == ["PyTorch", *["fused", "eager"] * len(MODELS)]
    assert table["parameters"].between(7000, 8000).all()
    assert (table["ms"] > 0).all()
    assert table["over_lstm"][0] == 1


def test_what_cannot_be_measured_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    threads = torch.get_num_threads()
    assert main(["--models", "stack_rn"]) == 2
    assert "Did you mean 'stack_rnn'?" in capsys.readouterr().err
    assert main(["--parameters", "3", "--threads", str(threads)]) == 2
    assert "budget.parameters=3 is too few for model=lstm" in capsys.readouterr().err
