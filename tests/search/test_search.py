"""A search: what it finds and leaves, that it goes on, and that processes share it."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from omegaconf import OmegaConf

pytest.importorskip("optuna", reason="needs the extra 'search'")

from ntmbench.search import command as searching
from ntmbench.search import worker
from ntmbench.search.arguments import search_from
from ntmbench.search.space import suggested
from ntmbench.search.study import SharedStudy
from ntmbench.search.trial import RANK, Watch, run_trial
from ntmbench.task import Task
from ntmbench.training.settings import MAX_BATCH_SIZE
from tests.conftest import TINY, Ended, command
from tests.reporting import build

Search = Callable[..., Ended]
ARGUMENTS = ("task=copy", *TINY[:1], *TINY[2:7], "search.name=found")
#: What is searched: all that has a range, but for the batch size, which is given.
SPACE = [
    "model.layers",
    "train.learning_rate",
    "train.momentum",
    "train.clip_norm",
    "train.weight_average",
]


@pytest.fixture
def search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Search:
    """Run `python -m ntmbench.search ...` in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["ntmbench.search", *arguments])
        with pytest.raises(SystemExit) as ended:
            searching.main()
        out, err = capsys.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    return run


def table() -> pd.DataFrame:
    return pd.read_csv("results/searches/found/trials.csv")


def counts() -> dict[str, int]:
    return {str(state): int(n) for state, n in table()["state"].value_counts().items()}


def found(trials: pd.DataFrame) -> dict[str, Any]:
    """The values of the best trial."""
    finished = trials[trials["state"] == "finished"].to_dict("records")
    best = min(finished, key=lambda trial: [float(number) for number in trial["rank"].split()])
    return {name: best[name] for name in SPACE}


def test_it_ends_with_a_table_pictures_and_a_recipe_that_can_be_used(
    search: Search, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*arguments: Any) -> Any:
        raise AssertionError("a search has no test data")

    with monkeypatch.context() as patched:
        patched.setattr(Task, "test_set", refuse)
        ended = search(*ARGUMENTS, "search.trials=6")
    assert ended.code == 0, ended.err
    trials = table()
    assert list(trials["trial"]) == list(range(6))
    assert set(trials["state"]) <= {"finished", "pruned"}
    folder = tmp_path / "results" / "searches" / "found"
    for name in ("importance", "slices"):
        assert (folder / "plots" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "results" / "runs").exists()
    assert not list((folder / "checkpoints").iterdir())
    assert not list((folder / "workers").iterdir())
    assert f"on seed 101, {trials['sequences'].sum():,} in all" in ended.out
    # Where it lies, a run takes it.
    chosen = ["task=copy", "model=lstm", "recipe=found", "--config-dir=results/searches/found"]
    shown = command(*chosen, "--cfg", "job", folder=tmp_path)
    assert shown.code == 0, shown.err
    composed = OmegaConf.to_container(OmegaConf.create(shown.out))
    assert isinstance(composed, dict)
    for name, value in found(trials).items():
        part, _, field = name.partition(".")
        assert composed[part][field] == value, name
    assert composed["train"]["batch_size"] == 4  # given on the command line
    assert composed["train"]["sequences"] == 40_000  # the budget's
    assert composed["model"]["hidden_size"] == 0  # as wide as the budget allows
    assert "--config-dir=results/searches/found task=copy" in ended.out


def test_a_run_by_the_recipe_reports_what_the_search_took(
    search: Search, ntmbench: Search, undrawn: None
) -> None:
    arguments = [*ARGUMENTS, "results_dir=${oc.env:NO_SUCH,results}", "search.trials=2"]
    assert search(*arguments).code == 0
    recipe = ["--config-dir=results/searches/found", "recipe=found"]
    assert ntmbench("task=copy", *recipe, TINY[0], *TINY[2:]).code == 0
    report = build(Path("results"))
    (row,) = (r for r in report.tables["searches"].to_dict("records") if r["search"] == "found")
    trials = table()
    assert (row["trials"], row["seeds"]) == (2, "101")
    assert row["sequences"] == 64
    assert row["total_sequences"] == trials["sequences"].sum()
    assert row["ended"] == date.today().isoformat()
    assert shlex.split(row["command"])[3:] == arguments
    assert row["found"] == ", ".join(f"{name}={value}" for name, value in found(trials).items())
    assert "Searches for settings" in [chapter.title for chapter in report.page.chapters]


def test_the_first_trial_has_todays_values(search: Search) -> None:
    search(*ARGUMENTS, "search.trials=1")
    (first,) = table().to_dict("records")
    assert first["today"]
    assert [first[name] for name in SPACE] == [2, 0.01, 0.9, 1.0, 0.0]


@pytest.mark.slow
def test_it_goes_on_to_the_same_trials(search: Search) -> None:
    same = [*SPACE, "state", "score", "rank", "sequences"]
    assert search(*ARGUMENTS, "search.trials=2").code == 0
    assert search(*ARGUMENTS, "search.trials=5").code == 0
    in_parts = table()[same]
    assert search(*ARGUMENTS, "search.trials=5").code == 0  # nothing is left to do
    assert len(table()) == 5
    whole = [argument.replace("search.name=found", "results_dir=else") for argument in ARGUMENTS]
    assert search(*whole, "search.name=found", "search.trials=5").code == 0
    other = pd.read_csv("else/searches/found/trials.csv")[same]
    pd.testing.assert_frame_equal(in_parts, other)


@pytest.mark.slow
def test_more_seeds_are_a_mean(search: Search) -> None:
    search(*ARGUMENTS, "search.trials=1", "search.seeds=2")
    (both,) = table()["score"]
    alone = []
    for seed in (101, 102):
        changed = [a.replace("found", f"seed{seed}") for a in ARGUMENTS]
        search(*changed, "search.trials=1", f"seed={seed}")
        alone += list(pd.read_csv(f"results/searches/seed{seed}/trials.csv")["score"])
    assert both == pytest.approx(sum(alone) / 2)
    assert alone[0] != alone[1]


@pytest.mark.slow
def test_an_interrupted_trial_goes_on_where_it_was(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    search(*ARGUMENTS[:-1], "search.name=whole", "search.trials=1")
    whole = pd.read_csv("results/searches/whole/trials.csv")

    stepped = Watch.stepped
    steps: list[int] = []

    def stopped(self: Watch, sequences: int, loss_bits: Callable[[], float]) -> None:
        stepped(self, sequences, loss_bits)
        steps.append(sequences)
        if len(steps) == 7:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Watch, "stepped", stopped)
    ended = search(*ARGUMENTS, "search.trials=1")
    assert ended.code == 130
    assert ended.err.endswith("ntmbench: interrupted; resume with the same command.\n")
    assert len(list(Path("results/searches/found/checkpoints").iterdir())) == 1
    assert search(*ARGUMENTS, "search.trials=1").code == 0
    assert len(steps) == 64 / 4  # none was made twice
    trials = table()
    assert list(trials["state"]) == ["interrupted", "finished"]
    assert list(trials["today"]) == [True, True]
    assert trials["rank"].iloc[1] == whole["rank"].iloc[0]


#: A process that is killed in its first trial.
KILLED = """
import os, signal
from ntmbench.search import command, worker
from ntmbench.search.space import suggested

def killed(search, trial, folder):
    suggested(trial, search.space)
    os.kill(os.getpid(), signal.SIGKILL)

worker.run_trial = killed
command.main()
"""


@pytest.mark.slow
def test_the_trial_of_a_killed_process_is_tried_again(search: Search) -> None:
    arguments = [*ARGUMENTS, "search.trials=2"]
    ended = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert search(*arguments).code == 0
    trials = table()
    assert list(trials["state"]) == ["interrupted", "finished", "finished"]
    killed, again, _ = trials[SPACE].to_dict("records")
    assert killed == again
    assert not list(Path("results/searches/found/workers").iterdir())


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ntmbench.search", *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.usefixtures("search")
def test_two_processes_share_a_study() -> None:
    both = [start(*ARGUMENTS, "search.trials=8") for _ in range(2)]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    trials = table()
    assert list(trials["trial"]) == list(range(8))
    assert set(trials["state"]) <= {"finished", "pruned"}
    lines = [line for out, _ in said for line in out.splitlines() if line.startswith("trial ")]
    assert len(lines) == 8
    assert len(trials[SPACE].drop_duplicates()) == 8  # no two have tried the same
    assert any("Recipe: " in out for out, _ in said)


@pytest.mark.slow
def test_a_trial_at_work_elsewhere_is_counted_and_left_alone(search: Search) -> None:
    asked = search_from([*ARGUMENTS, "search.trials=3"])
    study = SharedStudy(asked)
    with study.at_work():
        trial = study.claim()
        assert trial is not None
        other = start(*ARGUMENTS, "search.trials=3")
        out, err = other.communicate(timeout=120)
        assert other.returncode == 0, err
        assert out.count("wrong bits per sequence (best") == 2
        assert "1 trial is at work in other processes; the last of them writes the recipe." in out
        assert not Path("results/searches/found/trials.csv").exists()
        rank = run_trial(asked, trial, study.checkpoints)
        study.study.tell(trial, rank[0])
        assert study.claim() is None
    assert search(*ARGUMENTS, "search.trials=3").code == 0
    assert counts() == {"finished": 3}


def test_failed_trials_are_not_counted(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(search: Any, trial: Any, folder: Path) -> tuple[float, ...]:
        if trial.number in (0, 2):
            raise RuntimeError("no\nluck")
        return run_trial(search, trial, folder)

    monkeypatch.setattr(worker, "run_trial", failing)
    ended = search(*ARGUMENTS, "search.trials=3", "search.prune_after=1")
    assert ended.code == 0
    assert "trial 2: failed: RuntimeError: no luck\n" in ended.out
    assert "3 trials: 3 finished, 0 pruned; 2 failed." in ended.out
    assert counts() == {"finished": 3, "failed": 2}


def test_a_search_that_only_fails_gives_up(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(search: Any, trial: Any, folder: Path) -> tuple[float, ...]:
        raise RuntimeError("no luck")

    monkeypatch.setattr(worker, "run_trial", failing)
    ended = search(*ARGUMENTS)
    assert ended.code == 1
    assert ended.out.count("failed: RuntimeError: no luck\n") == worker.PATIENCE
    assert "No trial was trained to its end." in ended.out


def test_a_trial_that_is_worse_than_most_is_pruned(search: Search) -> None:
    asked = search_from([*ARGUMENTS, "search.trials=6"])
    study = SharedStudy(asked).study
    for _ in range(5):  # all better than 16 steps can make a model
        trial = study.ask()
        suggested(trial, asked.space)
        for place in range(5):
            trial.report(0.0, place)
        trial.set_user_attr(RANK, (0.0,))
        study.tell(trial, 0.0)
    assert search(*ARGUMENTS, "search.trials=6").code == 0
    last = table().iloc[-1]
    assert last["state"] == "pruned"
    assert last["sequences"] == 16  # a quarter of the training, search.prune_after
    assert last["last_validation"] > 0


def test_a_trial_is_pruned_after_a_seed_too(search: Search) -> None:
    arguments = [*ARGUMENTS, "search.trials=6", "search.seeds=3"]
    asked = search_from(arguments)
    study = SharedStudy(asked).study
    behind = (64 + MAX_BATCH_SIZE) // 16 + 1
    for _ in range(5):  # worse along the curve, and better in the mean of the first seed
        trial = study.ask()
        suggested(trial, asked.space)
        for place in range(5):
            trial.report(99.0, place)
        trial.report(0.0, behind)
        trial.set_user_attr(RANK, (0.0,))
        study.tell(trial, 0.0)
    assert search(*arguments).code == 0
    last = table().iloc[-1]
    assert last["state"] == "pruned"
    assert last["sequences"] == 64  # of one seed


REFUSED = [
    (["task=cpy"], "task=cpy is not a choice.", "Did you mean 'copy'?"),
    (["seed=5"], "seed=5 is for reported runs.", "Allowed in a search: 101 or more."),
    (["seed=101,102"], "seed=101,102 is a sweep.", "search.seeds"),
    (["-m"], "-m is no option of a search.", "--help"),
    (["+experiment=reference"], "+experiment=reference is not for a search.", ""),
    (["hydra.job.name=x"], "hydra.job.name=x is not for a search.", "hydra/launcher"),
    (
        ["search.workers=2"],
        "search.workers=2 needs a launcher that starts processes.",
        "hydra/launcher=joblib, hydra/launcher=ray, hydra/launcher=slurm",
    ),
    (["hydra/launcher=jobli"], "hydra/launcher=jobli is not a choice.", "'joblib'?"),
    (["hydra/launcher=joblib,ray"], "hydra/launcher=joblib,ray is a sweep.", "one value"),
    (["hydra.launcher.n_jobs=2"], "hydra.launcher.n_jobs=2 has no effect without", "joblib"),
    (["evaluation.sequences=4"], "evaluation.sequences=4 has no effect in a search", ""),
    (["observers=[bar]"], "observers=[bar] has no effect", ""),
    (["search.trails=5"], "search has no setting 'trails'.", "Did you mean 'trials'?"),
    (["search.trials=0"], "search.trials=0 is out of range.", "Allowed: 1 or more."),
    (["search.trials=many"], "search.trials=many is refused", "Integer"),
    (["search.trials=5,6"], "search.trials=5,6 is refused.", "search.trials=VALUE"),
    (["search.trials=null"], "search.trials=null is refused", "not Optional"),
    (["search.trials=???"], "search.trials=??? gives no value.", "search.trials=VALUE"),
    (["search.trials=${nope}"], "'nope' not found", ""),
    (["search.over=train.momentum"], "search.over=train.momentum is refused", ""),
    (["search.share=0"], "search.share=0", "above 0 and at most 1"),
    (["search.seeds=0"], "search.seeds=0 is out of range.", "1 or more"),
    (["search.sampler=tpee"], "search.sampler=tpee is not a choice.", "'tpe'?"),
    (["search.prune_after=2"], "search.prune_after=2", "from 0 to 1"),
    (["search.name=../x"], "search.name='../x' cannot name a folder.", "letters"),
    (["search.over=[train.momentun]"], "search.over=train.momentun is not", "'train.momentum'?"),
    (["search.over=[train.sequences]"], "search.over=train.sequences is not a", ""),
    (
        ["search.over=[train.momentum]", "train.momentum=0.5"],
        "train.momentum is both given and in search.over.",
        "",
    ),
    (["train.momentum=2"], "train.momentum=2", "from 0 to 0.9999"),
    (["train.attempts=16", "search.share=0.1"], "train.attempts=16 is more than", "1 to 2"),
    (
        ["task=ngrams", "task.min_length=6", "task.max_length=9", "model=seq2seq"],
        "task=ngrams has none",
        "ntm or lstm",
    ),
    (
        [f"{name}={0.5 if name != 'model.layers' else 1}" for name in SPACE],
        "Nothing is left to search, since the command line gives all",
        "leave one out",
    ),
]


@pytest.mark.parametrize(("arguments", "told", "allowed"), REFUSED)
def test_wrong_input_ends_in_one_line(
    search: Search, arguments: list[str], told: str, allowed: str
) -> None:
    ended = search(*ARGUMENTS, *arguments)
    assert ended.code == 2
    assert ended.err.startswith("ntmbench: ")
    assert ended.err.count("\n") == 1
    assert told in ended.err
    assert allowed in ended.err
    assert not Path("results").exists()


def test_a_name_that_another_search_has_is_refused(search: Search) -> None:
    search(*ARGUMENTS, "search.trials=1")
    ended = search(*ARGUMENTS, "search.trials=2", "task.bits=4")
    assert ended.code == 2
    assert ended.err.startswith("ntmbench: search.name=found was begun with other settings")
    assert len(table()) == 1


def test_a_damaged_journal_is_named(search: Search) -> None:
    search(*ARGUMENTS, "search.trials=1")
    journal = Path("results/searches/found/journal.log")
    journal.write_text("garbage\n" + journal.read_text())
    ended = search(*ARGUMENTS, "search.trials=2")
    assert ended.code == 2
    assert ended.err.startswith(f"ntmbench: {journal} cannot be read")
    assert ended.err.count("\n") == 1


def test_help_loads_no_optuna_and_tells_of_every_setting() -> None:
    code = (
        "import sys; from ntmbench.search.help import print_help; print_help(); "
        "sys.exit(bool({'optuna', 'hydra', 'pandas', 'matplotlib'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr
    for told in (b"search.trials=50 ", b"search.share=1.0 ", b"0.0001 to 0.03, logarithmic"):
        assert told in ended.stdout
