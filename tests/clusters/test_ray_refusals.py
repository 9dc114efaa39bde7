"""What the Ray launcher refuses, in one line and before any cell."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import TINY, Ended

Command = Callable[..., Ended]
SWEEP = ("-m", "task=copy", "seed=0,1", *TINY, "hydra/launcher=ray")


def test_without_ray_the_extra_is_named(
    ntmbench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    ended = ntmbench(*SWEEP)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "hydra/launcher=ray needs the extra 'cluster'" in ended.err
    assert not (tmp_path / "results" / "runs").exists()


@pytest.mark.parametrize(
    ("setting", "allowed"),
    [
        ("cells_per_task=0", "1 or more"),
        ("max_retries=-2", "-1 or more"),
        ("num_cpus=0", "above 0"),
        ("num_cpu=1", "Did you mean 'num_cpus'?"),
        ("mem_gb=much", "could not be converted to Float"),
    ],
)
def test_settings_out_of_range(ntmbench: Command, setting: str, allowed: str) -> None:
    pytest.importorskip("ray", reason="needs the extra 'cluster'")
    ended = ntmbench(*SWEEP, f"hydra.launcher.{setting}")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert f"hydra.launcher.{setting}" in ended.err
    assert allowed in ended.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("127.0.0.1:9", "does not answer"),
        ("127.0.0.1:port", "does not answer"),
        ("nonsense", "Invalid address format"),
    ],
)
def test_a_cluster_that_is_not_there(ntmbench: Command, address: str, allowed: str) -> None:
    pytest.importorskip("ray", reason="needs the extra 'cluster'")
    ended = ntmbench(*SWEEP, f"hydra.launcher.address={address}")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert f"hydra.launcher.address={address}" in ended.err
    assert allowed in ended.err


@pytest.mark.slow
def test_a_task_that_this_machine_has_no_room_for(ntmbench: Command) -> None:
    pytest.importorskip("ray", reason="needs the extra 'cluster'")
    ended = ntmbench(*SWEEP, "hydra.launcher.num_cpus=4096")
    assert (ended.code, ended.out) == (2, "")
    assert "hydra.launcher.num_cpus=4096 is more than this machine has." in ended.err
