"""Random command lines, each of which runs or is refused in one line with exit code 2.

They go through the application's function in this process, so that hundreds take a minute. Training
is left out: a command that would train ends once its model has been tried.
"""

from __future__ import annotations

import contextlib
import gc
import io
import itertools
import os
import random
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any
from unittest import mock

from hydra import compose
from omegaconf import ListConfig, OmegaConf
from rich.console import Console

from ntmbench.commands import application
from ntmbench.commands.overrides import known_keys
from ntmbench.composition.composing import composing
from ntmbench.composition.groups import NEEDED, OPTIONAL
from ntmbench.registry import model_names, task_names
from ntmbench.runs import check
from ntmbench.runs.runner import Outcome
from ntmbench.runs.settings import RunConfig
from tests.faults.campaign import Campaign, Counted, Fault

#: A command that takes longer than this is taken to hang. The first may compile an engine.
SECONDS = 60
#: Command lines after which Python looks for garbage.
COLLECT = 50
#: The memory of a made-up machine, so that large models are refused before they are built.
MEMORY = 2**28

NUMBERS = [
    "0", "1", "2", "3", "5", "8", "-1", "-0", "0.5", "1.0", "1e-3", "1e3", "1e400", "-1e-400",
    "64", "256", "16384", "16385", "1000000", "100000", "100001", "131072", "131073", "1048577",
    "9223372036854775807", "9223372036854775808", "123456789012345678901234567890", "inf", "-inf",
    "nan", "0x10", "1_000", "007", "1e1", ".5", "5.",
]  # fmt: skip
WORDS = [
    "", "''", '""', "null", "None", "true", "false", "yes", "copy", "ntm", "auto", "???", "a b",
    "'a b'", "ä", "日本", "\u202e", "\u200b", "😀", "$", "\\", "\\n", "=", "a=b", "=cmd|x", "%s",
    "{}", "<b>", "[bold]x[/bold]", "../..", "x" * 300, "torch:zeros", "torch.nn:Linear", "a:b:c",
    "@here", "#", "~", "`x`", "*", "glob(*)",
]  # fmt: skip
NESTED = [
    "[]", "[1]", "[[1]]", "[1,2]", "[1,1]", "[1,null]", "[a]", "['']", "[1.5]", "[true]", "[",
    "{}", "{a:1}", "{a:{b:1}}", "{", "{a:}", "[{a:1}]", "{1:2}", "[???]",
]  # fmt: skip
INTERPOLATIONS = [
    "${seed}", "${nope}", "${task.nope}", "${task}", "${model.name}", "${", "${}", "${.x}",
    "${..}", "${now:%Y}", "${hydra:job.num}", "${hydra:nope}", "${oc.env:HOME}", "${oc.env:NOPE}",
    "${oc.decode:1}", "${nope:1}", "${results_dir}", "'${seed}'", "\\${seed}", "${${seed}}",
]  # fmt: skip
SWEEPS = [
    "1,2", "0,1", "a,b", "1,", ",", "choice(1,2)", "choice()", "range(1,4)", "range(1,1)",
    "range(1,100000000)", "range(1,1e12)", "range(0,1,0)", "range(0,1,0.3)", "range(3,1,-1)",
    "range(1,2,1e-9)", "interval(0,1)", "interval(1,0)", "shuffle(1,2)", "sort(3,1)", "int(1.5)",
    "float(1)", "str(1)", "bool(maybe)", "json_str({a:1})", "extend_list(1)", "tag(a,1,2)",
    "tag(a,interval(0,1))", "nope(1)",
]  # fmt: skip
HYDRA = [
    "hydra", "hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir", "hydra.job.chdir",
    "hydra.job.name", "hydra.job.num", "hydra.nope", "hydra.nope.nope", "hydra/launcher",
    "hydra/sweeper", "hydra/nope", "hydra.verbose", "hydra.output_subdir", "hydra.callbacks",
    "hydra.mode", "hydra.searchpath", "hydra.launcher._target_", "hydra.sweeper.max_batch_size",
    "hydra.job_logging", "hydra/job_logging", "hydra.sweeper.params", "hydra.job.env_set",
]  # fmt: skip
GROUPS = [*NEEDED, *OPTIONAL, "schema", "experiment", "shared", "paper", "recipe/paper", "schema/x"]
ODD_KEYS = ["", ".", "task.", ".bits", "task..bits", "ä", "a b", "0", "_target_", "defaults", "a@b",
            "task@model", "seed.x", "task.bits.x", "train[0]", "observers[0]", "observers.0",
            "evaluation.lengths.0", "model.arguments.x", "__class__", "seed:", "task.name",
            "_self_", "task.__len__"]  # fmt: skip
PREFIXES = ["", "", "", "", "", "", "+", "++", "~"]
OPTIONS = [
    ["--cfg", "job"], ["--cfg", "hydra"], ["--cfg", "all"], ["--cfg", "x"], ["--cfg"], ["--nope"],
    ["--info"], ["--info", "defaults-tree"], ["--info", "x"], ["-c", "job", "--resolve"], ["--run"],
    ["-c", "job", "-p", "task"], ["-c", "job", "-p", "nope"], ["--version"], ["--config-name", "x"],
    ["--config-dir", "x"], ["--config-path", "x"], ["-m", "-m"], ["-m", "--run"], ["-"], ["--"],
    ["--experimental-rerun", "x"], ["--hydra-help"], ["--shell-completion"], ["-sc", "query=bash"],
]  # fmt: skip
CHOICES = {"task": task_names, "model": model_names}
#: Values that a setting may well take, by the type of its default.
FITTING: dict[type, list[str]] = {
    bool: ["true", "false", "yes", "0"],
    int: ["0", "1", "2", "3", "4", "6", "9", "20", "null"],
    float: ["0", "0.1", "0.5", "0.99", "1", "1e-3", "2.5"],
    str: ["auto", "adam", "linear", "eager", "cpu", "gru", "lstm", "x"],
    list: ["[]", "[3]", "[3,5]", "[20,30]", "[lines]", "[bar,lines]"],
}


class Hanging(BaseException):
    """A command took too long."""


def campaign(number: int, seed: int) -> Counted:
    """Run so many random command lines, the same ones for the same seed."""
    ends: Counter[str] = Counter()
    faults: list[Fault] = []
    with _collected_now_and_then():
        for place in range(number):
            if place % COLLECT == 0:
                gc.collect()
            arguments = command_line(random.Random(f"{seed}-{place}"))
            how, told = ended(arguments)
            ends[how] += 1
            if how not in ("ran", "refused", "ran as a sweep"):
                faults.append(Fault(repr(arguments), f"{how}: {told}"))
    counts = ", ".join(f"{count:,} {how}" for how, count in sorted(ends.items()))
    return Counted(f"{number:,} command lines: {counts}.", faults)


@contextlib.contextmanager
def _collected_now_and_then() -> Iterator[None]:
    """Composing makes so many objects that looking for garbage among them takes a sixth of it."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


@cache
def settings_of(task: str, model: str) -> dict[str, type]:
    """Every setting of a task and a model, with the type of its default."""
    chosen = [f"task={task}", f"model={model}"]
    found = {}
    with composing():
        composed = compose("config", overrides=chosen)
        for key in known_keys(chosen):
            value = OmegaConf.select(composed, key) if key[0].isalpha() else None
            found[key] = list if isinstance(value, ListConfig) else type(value)
    return found


def command_line(draw: random.Random) -> list[str]:
    """One to four overrides, at times with an option of Hydra's."""
    models = [name for name in model_names() if name != "custom"]
    task, model = draw.choice(list(itertools.product(task_names(), models)))
    chosen = [f"task={task}", f"model={model}"] if draw.random() < 0.7 else []
    settings = settings_of(task, model)
    line = [*chosen, *(override(draw, settings) for _ in range(draw.choice([1, 1, 1, 2, 3])))]
    if draw.random() < 0.15:
        draw.shuffle(line)
    if any("," in argument for argument in line) or draw.random() < 0.15:
        line.insert(0, "-m")
    if draw.random() < 0.08:
        line += draw.choice(OPTIONS)
    return line


def override(draw: random.Random, settings: dict[str, type]) -> str:
    """A key of any kind with a value of any kind; half of them fit."""
    kind = draw.random()
    if kind < 0.5:
        key = draw.choice([key for key, of in settings.items() if of in FITTING])
        fitting = FITTING[settings[key]]
        several = draw.random() < 0.15
        return f"{key}={','.join(draw.sample(fitting, 2)) if several else draw.choice(fitting)}"
    if kind < 0.8:
        key = draw.choice(list(settings)).lstrip("+")
    else:
        key = draw.choice(draw.choice([HYDRA, GROUPS, ODD_KEYS]))
    prefix = draw.choice(PREFIXES)
    if prefix == "~" and draw.random() < 0.5:
        return f"~{key}"
    values = draw.choice([NUMBERS, NUMBERS, WORDS, NESTED, INTERPOLATIONS, SWEEPS])
    if key in CHOICES and draw.random() < 0.5:
        values = CHOICES[key]()
    return f"{prefix}{key}={draw.choice(values)}"


def ended(arguments: list[str]) -> tuple[str, str]:
    """How a command ended, in a word or two, and what it said."""
    out, err = io.StringIO(), io.StringIO()
    code: Any = None
    raised = ""
    hung: list[bool] = []
    with (
        _prepared(arguments, hung),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            application.main()
        except SystemExit as error:
            code = error.code or 0
        except BaseException:
            raised = traceback.format_exc()
    if hung:  # the command may have taken it for a failure of the model
        return "hung", f"more than {SECONDS} s"
    told = raised + err.getvalue()
    if raised or "Traceback" in told + out.getvalue():
        return "with a traceback", told + out.getvalue()
    if code == 0 or (code == 1 and "-m" in arguments):
        return ("ran as a sweep" if "-m" in arguments else "ran"), ""
    if code != 2:
        return f"with exit code {code}", told
    if not told.startswith("ntmbench: ") or told.count("\n") != 1:
        return "refused, not in one line", told
    return "refused", told


@contextlib.contextmanager
def _prepared(arguments: list[str], hung: list[bool]) -> Iterator[None]:
    """An empty folder, a command line, a small machine, a clock, and no training.

    ``hung`` is no longer empty if the command took too long.
    """
    before = Path.cwd()

    def hang(number: int, frame: FrameType | None) -> None:
        hung.append(True)
        raise Hanging

    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(sys, "argv", ["ntmbench", *arguments]),
        mock.patch.object(application, "run", _only_checked),
        mock.patch.object(check, "machine_memory", return_value=MEMORY),
        mock.patch.dict(os.environ),
    ):
        os.chdir(folder)
        handler = signal.signal(signal.SIGALRM, hang)
        signal.alarm(SECONDS)
        try:
            yield
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, handler)
            os.chdir(before)


def _only_checked(config: RunConfig, console: Console) -> Outcome:
    check.check_possible(config)
    config.resolved()
    return Outcome(config.folder, "finished")


CAMPAIGN = Campaign(campaign, short=5, slow=80, whole=10_000)
