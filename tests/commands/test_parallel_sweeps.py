"""Cells that run in other processes: what is sent there, and that their numbers are the same."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

import pytest
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.singleton import Singleton
from hydra.types import HydraContext, RunMode
from rich.console import Console

from ntmbench.commands import application
from ntmbench.commands.console import NamedLines
from ntmbench.commands.sweeps import read_cells
from ntmbench.composition.composing import composing
from ntmbench.composition.schemas import schema
from ntmbench.registry import model_names, task_names
from ntmbench.runs.settings import FIXED_PARTS
from ntmbench.training.interruption import Interrupted
from tests.commands.swept import CELL, numbers, table_of
from tests.conftest import Ended, command

Command = Callable[..., Ended]
pytestmark = pytest.mark.usefixtures("undrawn")


def test_lines_of_parallel_runs_bear_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(file=cast(IO[str], NamedLines("copy-lstm-s0")), force_terminal=False)
    assert not console.is_terminal  # so that no bar is drawn
    console.print("first\nsecond")
    assert capsys.readouterr().out == "copy-lstm-s0  first\ncopy-lstm-s0  second\n"


def test_interruption_can_be_sent_between_processes() -> None:
    """The parallel launcher sends them; without pickling a sweep would end with a traceback."""
    sent = pickle.loads(pickle.dumps(Interrupted(signal.SIGINT)))
    assert (type(sent), sent.signal_number) == (Interrupted, signal.SIGINT)


@pytest.mark.slow
def test_parallel_launcher_gives_the_same_numbers(ntmbench: Command, tmp_path: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="needs the extra 'parallel'")
    from joblib.externals.loky import get_reusable_executor

    arguments = ("-m", "task=copy,ngrams", "model=lstm,seq2seq", *CELL)
    assert ntmbench(*arguments, "results_dir=one_by_one").code == 1
    try:
        ended = ntmbench(*arguments, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    finally:
        get_reusable_executor().shutdown(wait=True)
    assert (ended.code, ended.err) == (1, "")
    assert "1 of 4 cells did not finish:" in ended.out
    assert list(table_of(tmp_path)["state"]) == ["finished"] * 3 + ["failed"]
    said = ended.out.partition("Sweep")[0].splitlines()
    assert all(line.startswith(("copy-", "ngrams-", "[", "task=ngrams")) for line in said)
    assert numbers(tmp_path / "results") == numbers(tmp_path / "one_by_one")


def test_schemas_are_sent_by_name() -> None:
    """Whichever pickle sends them, the other process makes its own."""
    tasks = [f"task_{name}" for name in task_names()]
    models = [f"model_{name}" for name in model_names()]
    for name in ("config", *FIXED_PARTS, *tasks, *models):
        assert pickle.loads(pickle.dumps(schema(name))) is schema(name)


#: What a launcher does in a process of its own: a cell's configuration is composed from what was
#: sent, and the suite's function is called with it.
WORKER = """
import dataclasses, pickle, sys
state, composed, context, job = pickle.load(sys.stdin.buffer)
from hydra.core.singleton import Singleton
from hydra.core.utils import run_job
from omegaconf import OmegaConf, open_dict
for part in ("task", "model", "train", "evaluation"):
    assert dataclasses.fields(OmegaConf.get_type(composed[part])), part
Singleton.set_state(state)
cell = context.config_loader.load_sweep_config(composed, sys.argv[1:])
with open_dict(cell):
    cell.hydra.job.num = 0
    cell.hydra.job.id = 0
directories = {"job_dir_key": "hydra.sweep.dir", "job_subdir_key": "hydra.sweep.subdir"}
run_job(task_function=job, config=cell, hydra_context=context, **directories)
"""


@pytest.mark.slow
def test_a_cell_runs_in_a_process_that_was_sent_everything(tmp_path: Path) -> None:
    """As launchers send it; cloudpickle 2 would lose the fields of classes sent as a whole."""
    cloudpickle = pytest.importorskip("cloudpickle", reason="needs cloudpickle")
    cell = ["task=recall", "model=lstm", "seed=3", *CELL]
    with composing():
        loader = GlobalHydra.instance().config_loader()
        composed = loader.load_configuration("config", ["hydra.mode=MULTIRUN"], RunMode.MULTIRUN)
        context = HydraContext(config_loader=loader, callbacks=Callbacks())
        sent = cloudpickle.dumps((Singleton.get_state(), composed, context, application.job))
    worker = subprocess.run(
        [sys.executable, "-c", WORKER, *cell],
        input=sent,
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert worker.returncode == 0, worker.stderr.decode()
    (sweep,) = (tmp_path / "results" / "sweeps").iterdir()
    cells = read_cells(sweep)
    assert list(cells["state"]) == ["finished"], list(cells["reason"])
    assert list(cells["seed"]) == [3]


@pytest.mark.slow
def test_submitit_gives_the_same_numbers(tmp_path: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs submitit's launcher")
    arguments = ("-m", "task=copy", "model=lstm", "seed=0,1", *CELL)
    assert command(*arguments, "results_dir=one_by_one", folder=tmp_path).code == 0
    ended = command(*arguments, "hydra/launcher=submitit_local", folder=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert list(table_of(tmp_path)["state"]) == ["finished"] * 2
    assert numbers(tmp_path / "results") == numbers(tmp_path / "one_by_one")
