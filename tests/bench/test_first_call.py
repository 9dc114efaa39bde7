"""The first training step of a process, and what a run compiles."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from numba.core.caching import _CacheLocator

from ntmbench.bench import first_step
from ntmbench.bench.first_call import MODELS, FirstCall, main
from ntmbench.engine import sources
from ntmbench.registry import engines_of, model_names
from tests.conftest import TINY

PACKAGE = Path(sources.__file__).parents[1]


def test_first_step_reports_its_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["first_step", "stack_rnn", "1"])
    first_step.main()
    measured = FirstCall(**json.loads(capsys.readouterr().out))
    assert measured.model > 0
    assert measured.optimizer > 0


def test_a_table_of_models(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    caches: list[str] = []

    def answer(command: list[str], *, env: dict[str, str], **_: Any) -> CompletedProcess[str]:
        caches.append(env["NUMBA_CACHE_DIR"])
        seconds = {"model": float(len(caches)), "optimizer": 0.5}
        assert command[2:] == [
            "ntmbench.bench.first_step",
            "dnc" if len(caches) < 3 else "rnn",
            "1",
        ]
        return CompletedProcess(command, 0, json.dumps(seconds))

    monkeypatch.setattr(subprocess, "run", answer)
    assert main(["--models", "dnc", "rnn"]) == 0
    lines = capsys.readouterr().out.replace("│", " ").splitlines()
    rows = [line.split() for line in lines if line.split()[:1] in (["dnc"], ["rnn"])]
    assert rows == [
        ["dnc", "empty", "1.00", "0.50"],
        ["dnc", "filled", "2.00", "0.50"],
        ["rnn", "empty", "3.00", "0.50"],
        ["rnn", "filled", "4.00", "0.50"],
    ]
    assert caches[0] == caches[1] != caches[2] == caches[3]


def test_what_cannot_be_measured_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--models", "stack_rn"]) == 2
    assert "Did you mean 'stack_rnn'?" in capsys.readouterr().err
    assert main(["--threads", "0"]) == 2


def test_every_model_with_an_engine_of_its_own_is_measured() -> None:
    assert {name for name in model_names() if engines_of(name)} <= set(MODELS)


def cached(source: Path) -> str:
    """The name of the folder that Numba keeps the compiled functions of a source in."""
    return str(_CacheLocator.get_suitable_cache_subpath(str(source)))


@pytest.mark.slow
def test_a_run_compiles_no_kernel_of_another_model(tmp_path: Path) -> None:
    """The optimizer is compiled, and no kernel of a model that has some."""
    cache = tmp_path / "cache"
    subprocess.run(
        [sys.executable, "-m", "ntmbench", "device=cpu", *TINY],
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
        cwd=tmp_path,
        check=True,
    )
    folders = {path.name for path in cache.iterdir()}
    assert cached(PACKAGE / "engine" / "optimizer_update.py") in folders
    kernels = [path for path in PACKAGE.rglob("*.py") if path.parent.name == "kernels"]
    of_models = {path.parent: cached(path) for path in kernels}
    assert len(of_models) >= 5
    assert folders.isdisjoint(of_models.values())
