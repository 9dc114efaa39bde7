"""Experiments: sweeps that a file describes, and that the command line changes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra.core.config_store import ConfigStore

from ntmbench import load_results
from ntmbench.commands.expansion import with_experiment
from ntmbench.composition.composing import register_schemas
from ntmbench.errors import SettingError
from tests.conftest import TINY, Ended

Command = Callable[..., Ended]
pytestmark = pytest.mark.usefixtures("undrawn")


EXPERIMENT = (
    "+experiment=ablations/weighting",
    "task=recall",
    "seed=0,3",
    "model.controller_size=8",
    "model.memory_slots=16",
    *(argument for argument in TINY if argument.startswith("train")),
    "evaluation.sequences=16",
    "evaluation.lengths=[6]",
)


@pytest.mark.slow
def test_command_line_wins_over_the_experiment(ntmbench: Command, tmp_path: Path) -> None:
    """The task, the seeds and the folder can be changed; the weightings are the experiment's."""
    ended = ntmbench("-m", *EXPERIMENT, "results_dir=mine")
    assert (ended.code, ended.err) == (0, "")
    runs = load_results(tmp_path / "mine").runs
    assert list(runs["task"].unique()) == ["recall"]
    assert sorted(runs["seed"]) == [0, 0, 0, 3, 3, 3]
    assert set(runs["train_sequences"]) == {64}
    assert runs["setting"].nunique() == 3


@pytest.mark.slow
def test_experiment_goes_on_where_it_stopped(ntmbench: Command, tmp_path: Path) -> None:
    assert ntmbench("-m", *EXPERIMENT, "model.initial_weighting=uniform").code == 0
    ended = ntmbench("-m", *EXPERIMENT)
    assert ended.out.count("already done") == 2
    runs = tmp_path / "results" / "reference" / "ablations" / "runs"  # where it keeps them
    assert len(list(runs.iterdir())) == 6
    assert not (tmp_path / "results" / "runs").exists()


def test_experiment_is_a_sweep(ntmbench: Command, tmp_path: Path) -> None:
    ended = ntmbench("+experiment=reference/ntm")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "+experiment=reference/ntm is a sweep. Allowed: with the option -m." in ended.err
    assert not list(tmp_path.iterdir())


def test_overrides_of_the_command_line_take_the_experiments_place() -> None:
    written = with_experiment(["seed=7", "+experiment=reference/lstm", "threads=2"], sweep=True)
    assert written[0].startswith("task=copy,repeat_copy,")
    assert written[1:] == ["model=lstm", "seed=7", "+experiment=reference/lstm", "threads=2"]


def test_a_setting_that_not_every_task_has_belongs_to_the_sweep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    register_schemas()
    store = ConfigStore.instance()
    monkeypatch.setattr(store, "repo", copy.deepcopy(store.repo))
    swept = {"sweeper": {"params": {"task": "duplicate"}}}
    node = {"task": {"symbols": 2}, "hydra": swept}
    store.store(group="experiment", name="binary", node=node, package="_global_")
    with pytest.raises(SettingError, match=r"Key 'symbols' .*go into hydra\.sweeper\.params\.$"):
        with_experiment(["+experiment=binary"], sweep=True)
