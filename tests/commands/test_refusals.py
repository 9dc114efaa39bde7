"""Wrong input ends in one clear line and exit code 2, and writes nothing."""

from __future__ import annotations

import errno
import io
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import hydra
import pytest
import torch
from rich.console import Console

from ntmbench.runs.folder import RunFolder
from ntmbench.runs.log import logger, logging_to
from tests.conftest import TINY, Ended

Command = Callable[..., Ended]

NTM = ("model=ntm", "model.controller_size=8", "model.memory_slots=8", "model.word_size=4")

# Hydra 1.3 composes before it looks for the run to repeat, 1.4 after.
RERUN_OF_NOTHING = (
    "Interpolation key 'nope' not found"
    if hydra.__version__.startswith("1.3.")
    else "x/.hydra/hydra.yaml: No such file or directory"
)

REFUSED = [
    (["task=cpy"], "task=cpy is not a choice. Allowed: adding,", "Did you mean 'copy'?"),
    (["model=ntn"], "model=ntn is not a choice.", "Did you mean 'ntm'?"),
    (["task=copy,recal"], "task=recal is not a choice.", "Did you mean 'recall'?"),
    (["sede=1"], "Unknown setting sede.", "Did you mean 'seed'?"),
    (["task.max_lenght=4"], "Unknown setting task.max_lenght.", "Did you mean 'task.max_length'?"),
    (["+sede=1"], "A run has no setting 'sede'.", "Did you mean 'seed'?"),
    (["+task.typo=1"], "task copy has no setting 'typo'.", "Allowed: bits, min_length, max_length"),
    (["+train.momentun=0.5"], "train has no setting 'momentun'.", "'momentum'?"),
    (["task.bits=many"], "converted to Integer.", "Allowed: a whole number (int)."),
    (["train.learning_rate=fast"], "train.learning_rate=fast is refused", "(float)."),
    (["task.bits=0"], "task.bits=0 is out of range.", "Allowed: from 1 to"),
    (["train.batch_size=0"], "train.batch_size=0 is out of range.", "Allowed: from 1 to 16384."),
    (["train.learning_rate=0"], "train.learning_rate=0", "Allowed: above 0."),
    (["train.optimizer=sgd"], "train.optimizer=sgd is not a choice.", "rmsprop, adam"),
    (["seed=-1"], "seed=-1 is out of range.", "Allowed: from 0"),
    (["device=gpu"], "device=gpu is not a choice.", "auto, cpu, cuda"),
    (
        ["model.memory_slots=1"],
        "model.memory_slots=1 is out of range.",
        "Allowed: from 2 to 1048576.",
    ),
    (["model.shift_width=2"], "model.shift_width=2 is even.", "1, 3, 5"),
    (["recipe=order_ntn"], "recipe=order_ntn is not", "Did you mean 'order_ntm'?"),
    (["model_recipe=lstn"], "model_recipe=lstn is not a choice.", "Did you mean 'lstm'?"),
    (["family_recipe=sorting_ntn"], "family_recipe=sorting_ntn is not", "'sorting_ntm'?"),
    (["budget=sort"], "budget=sort is not a choice.", "Did you mean 'sorting'?"),
    (["budget.parameter=9"], "Unknown setting budget.parameter.", "'budget.parameters'?"),
    (["budget.parameters=-1"], "budget.parameters=-1 is out of range.", "Allowed: 0 or more."),
    (
        ["model=lstm", "budget.parameters=60"],
        "budget.parameters=60 is too few for model=lstm, which has",
        " or more, or 0 for no limit.",
    ),
    (
        ["model=ntm", "budget.parameters=50"],
        "budget.parameters=50 has no effect beside model.controller_size=64.",
        "Allowed: model.controller_size=0,",
    ),
    (
        ["model=lstm", "model.hidden_size=9", "budget.parameters=50"],
        "budget.parameters=50 has no effect beside model.hidden_size=9.",
        "Allowed: model.hidden_size=0,",
    ),
    (["model=oracle", "budget.parameters=50"], "model=oracle has no width", "budget.parameters=0."),
    (["task=ngrams", "model=seq2seq"], "task=ngrams has none", "such as ntm or lstm."),
    (["model=custom"], "model.target=(empty) names no class.", "my_module:MyModel"),
    (["model=custom", "model.target=nowhere:Net"], "cannot be imported", "No module named"),
    (["model=custom", "model.target=torch:Net"], "model.target=torch:Net", "no attribute 'Net'"),
    (["model=custom", "model.target=torch:zeros"], "is not a torch.nn.Module", "Tensor"),
    (["rerun=perhaps"], "rerun=perhaps is refused", "Allowed: true or false."),
    (["+train.momentum=0.5"], "+train.momentum=0.5 is refused", "already at 'train.momentum'.\n"),
    (["sede=1"], "Unknown setting sede. Did you mean 'seed'? All settings: --help.", ""),
    (["train.learning_rate=inf"], "train.learning_rate=inf is out", "Allowed: above 0, finite."),
    (["train.epsilon=nan"], "train.epsilon=nan is out of range.", "Allowed: above 0."),
    (["checkpoint_share=inf"], "checkpoint_share=inf is out", "Allowed: from 0 to 1, finite."),
    (["model.memory_slots=2000000"], "model.memory_slots=2000000 is", "from 2 to 1048576."),
    (["model.read_heads=1000"], "model.read_heads=1000 is out of range.", "from 1 to 256."),
    (["model=lstm", "model.layers=1000"], "model.layers=1000 is out of", "from 1 to 64."),
    (["evaluation.sequences=1000000"], "evaluation.sequences=1000000", "from 1 to 131072."),
    (["task=recall", "evaluation.lengths=[1]"], "evaluation.lengths=1", "from 2 to 100000."),
    (["task=ngrams", "evaluation.lengths=[9,5]"], "evaluation.lengths=5", "from 6 to 100000."),
    (["task=priority_sort", "evaluation.lengths=[15]"], "lengths=15", "from 16 to 100000."),
    (["evaluation.lengths=[200000]"], "evaluation.lengths=200000", "from 1 to 100000."),
    (["evaluation.lengths=[3,5,3]"], "evaluation.lengths=[3, 5, 3]", "each once."),
    (["model.engine=fused", "model.controller=gru"], "model.engine=fused cannot run", "eager."),
    (["-m", "--cfg", "job"], "--cfg and --multirun do not go together", "give one of them."),
    (["--cfg", "job", "task=kopy"], "task=kopy is not a choice.", "Did you mean 'copy'?"),
    (["--info", "config", "sede=1"], "Unknown setting sede.", "Did you mean 'seed'?"),
    (["observers=[lines,lines]"], "observers=[lines,lines] has a name twice.", "each once."),
    (["observers=lines"], "observers=lines is refused", "a list, as in observers=[lines,bar]."),
    (["evaluation.lengths=3"], "evaluation.lengths=3 is refused", "evaluation.lengths=[...]."),
    (
        ["model=lstm", "recipe=paper/copy_ntm"],
        "recipe=paper/copy_ntm is for another model: it sets model.controller, which model=lstm",
        "Allowed: lstm, paper/",
    ),
    (
        ["recipe=order_ntm", "model=oracle"],
        "recipe=order_ntm is for another model: it sets model.controller_size, which model=oracle",
        "does not have. Allowed: oracle, ~recipe.",
    ),
    (["~seed"], "~seed takes out what every run needs.", "Allowed: ~budget"),
    (["task.name=recall"], "task.name=recall is not a setting.", "Allowed: task="),
    (
        ["model=lstm", "model.hidden_size=16384", "model.layers=64"],
        "model=lstm has 136,",
        "Allowed: a smaller model.",
    ),
    (["seed=???"], "seed has no value: ??? stands for none.", ""),
    (["evaluation.lengths=[[1]]"], "evaluation.lengths=[1] is not a whole number.", ""),
    (["model.hidden_size=interval(0,1)"], "is an interval,", "Allowed: values, as in 1,2,3."),
    (["~recipe=1"], "~recipe=1", ""),
    (["paper=16"], "paper", ""),
    (["+schema=[2,3]"], "schema", ""),
    (["hydra=1"], "hydra=1 is no setting.", "Allowed: those of Hydra"),
    (["hydra.run.dir=${nope}"], "hydra.run.dir=${nope} is refused: ", "'nope' not found"),
    (["+hydra.nope=1"], "+hydra.nope=1 is no setting of Hydra.", "Allowed in hydra: "),
    (["+hydra.sweep.dri=x"], "+hydra.sweep.dri=x is no setting", "Did you mean 'dir'?"),
    (["hydra/launcher=basik"], "hydra/launcher=basik is not a choice. Allowed: ", "mean 'basic'?"),
    (["hydrb=1"], "Unknown setting hydrb.", ""),
    (["seed=0,1"], "seed=0,1 gives several values.", "add -m."),
    (["train.epsilon=range(1,100000000)"], "has too many values.", "Allowed: 100,000."),
    (["-m", "seed=range(0,50000)", "task.bits=1,2,3"], "has 150,000 cells.", "at most 100,000."),
    (["seed=range(1,1)"], "seed=range(1,1) has no value.", "one or more, as in seed=0,1."),
    (["seed=range(0,1,0)"], "seed=range(0,1,0) never ends.", "a step other than 0."),
    (["seed=range(0,inf)"], "seed=range(0,inf) never ends.", "finite numbers"),
    (["observers=${seed}"], "observers=0 is no list.", "Allowed: observers=[0]."),
    (["train=${seed}"], "train=0 is no part of a run.", "train.name=value"),
    (["hydra.launcher._target_=2"], "hydra.launcher._target_=2 names a class", "hydra/launcher="),
    (["-m", "hydra.searchpath=[a]"], "hydra.searchpath=[a] is refused: ", "is not available."),
    (["-c", "job", "-p", "tsk"], "--package tsk is no part", "Did you mean 'task'?"),
    (["model=lstm", "budget.parameters=9223372036854775807"], "a smaller model", ""),
    (["--cfg", "x"], "invalid choice: 'x'", "All options: --hydra-help."),
    (["task.bits=[", "-sc", "query=bash"], "while parsing a flow node", ""),
    (["seed=${nope}"], "Interpolation key 'nope' not found", ""),
    (["seed=${nope}", "--experimental-rerun", "x"], RERUN_OF_NOTHING, ""),
    (["task.max_length"], "task.max_length cannot be parsed: missing", "Allowed: name=value"),
    (["task.bits=[1"], "task.bits=[1 cannot be parsed: ", "Allowed: name=value"),
]


@pytest.mark.parametrize(("arguments", "wrong", "remedy"), REFUSED, ids=lambda v: str(v)[:40])
def test_refused_in_one_line(
    ntmbench: Command, tmp_path: Path, arguments: list[str], wrong: str, remedy: str
) -> None:
    ended = ntmbench(*arguments)
    assert ended.code == 2
    assert ended.err.startswith("ntmbench: ")
    assert ended.err.count("\n") == 1
    assert wrong in ended.err
    assert remedy in ended.err
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_cuda_without_a_gpu(ntmbench: Command, tmp_path: Path) -> None:
    ended = ntmbench("device=cuda")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "PyTorch sees no GPU" in ended.err
    assert not list(tmp_path.iterdir())


def test_wrong_output_shape_names_both_shapes(
    ntmbench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "modules" / "narrow_net.py"
    module.parent.mkdir()
    module.write_text(
        "from torch import nn\n"
        "class Narrow(nn.Linear):\n"
        "    def __init__(self, inputs, outputs):\n"
        "        super().__init__(inputs, outputs - 1)\n"
    )
    monkeypatch.syspath_prepend(str(module.parent))
    ended = ntmbench("model=custom", "model.target=narrow_net:Narrow")
    assert ended.code == 2
    assert "returned shape [3, 2, 7]. Expected: logits [T, B, out] = [3, 2, 8]." in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["modules"]


MODULES = """
from torch import nn
from ntmbench import SequenceModel
class Narrow(SequenceModel):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs - 1)
    def forward(self, inputs):
        return self.linear(inputs)
class Failing(Narrow):
    def forward(self, inputs):
        raise KeyError("weights")
class Fixed(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.outputs = outputs
    def forward(self, inputs):
        return inputs[:, :, :self.outputs]
"""


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Narrow", "returned shape [3, 2, 7]. Expected: logits [T, B, out] = [3, 2, 8]."),
        ("Failing", "fails on inputs [T, B, in] = [3, 2, 9]: KeyError: 'weights'"),
        ("Fixed", "has no trainable parameters."),
    ],
)
def test_model_that_keeps_no_contract(
    ntmbench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "contract_nets.py").write_text(MODULES)
    monkeypatch.syspath_prepend(str(modules))
    ended = ntmbench("model=custom", f"model.target=contract_nets:{name}")
    monkeypatch.delitem(sys.modules, "contract_nets")
    assert (ended.code, ended.err) == (2, f"ntmbench: model.target=contract_nets:{name} {reason}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["modules"]


def test_results_dir_that_is_a_file(ntmbench: Command, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("precious")
    ended = ntmbench("results_dir=taken", *TINY)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "taken is a file, not a folder" in ended.err
    assert (tmp_path / "taken").read_text() == "precious"


def test_results_dir_that_can_not_be_written(
    ntmbench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Path.mkdir

    def refuse(self: Path, *args: Any, **kwargs: Any) -> None:
        if "results" in self.parts:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        make(self, *args, **kwargs)

    # A superuser may write anywhere, so the system's refusal is simulated.
    monkeypatch.setattr(Path, "mkdir", refuse)
    ended = ntmbench(*TINY)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "Permission denied" in ended.err


def test_results_dir_that_is_a_link_to_itself(ntmbench: Command, tmp_path: Path) -> None:
    (tmp_path / "taken").symlink_to("taken")
    ended = ntmbench("results_dir=taken", *TINY)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "taken is a link that leads nowhere." in ended.err


def test_a_finished_run_is_shown_from_a_folder_that_can_not_be_written(
    ntmbench: Command, monkeypatch: pytest.MonkeyPatch, tiny_run: RunFolder
) -> None:
    access = os.access

    def read_only(path: Any, mode: int) -> bool:  # a superuser may write anywhere
        return access(path, mode) and "results" not in str(path)

    monkeypatch.setattr(os, "access", read_only)
    ended = ntmbench(*TINY)
    assert (ended.code, ended.err) == (0, "")
    assert "already done" in ended.out
    assert ntmbench(*TINY, "seed=1").err.endswith("results.\n")


def test_a_log_that_can_not_be_written_is_told_once(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    console = Console(file=io.StringIO(), width=200)
    with logging_to(Path("/dev/full"), console):
        for number in range(3):
            logger.info("line %d", number)
    assert cast(io.StringIO, console.file).getvalue().splitlines() == [
        "The log cannot be written: /dev/full: [Errno 28] No space left on device",
        "line 0",
        "line 1",
        "line 2",
    ]


# A run's first files are smaller than these limits, and its checkpoint is larger.
@pytest.mark.slow
@pytest.mark.parametrize("limit", [4096, 5000, 12000, 16384])
@pytest.mark.parametrize("model", [(), NTM], ids=["lstm", "ntm"])
def test_full_disk_keeps_the_earlier_files(
    tmp_path: Path, model: tuple[str, ...], limit: int
) -> None:
    tiny = [argument for argument in TINY if not (model and argument.startswith("model"))]
    arguments = [*tiny, *model, "checkpoint_share=1", "train.sequences=4000"]

    def limit_file_size() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    ended = subprocess.run(
        [sys.executable, "-m", "ntmbench", *arguments],
        cwd=tmp_path,
        preexec_fn=limit_file_size,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("ntmbench: results/runs/copy-")
    assert ended.stderr.endswith("checkpoint.pt: File too large\n")
    assert ended.stderr.count("\n") == 1
    (path,) = (tmp_path / "results" / "runs").iterdir()
    folder = RunFolder(path)
    assert folder.read_status()["state"] == "failed"
    assert folder.metrics.read_text().startswith("step,sequences")
    assert not list(path.glob(".*.*"))  # no half-written temporary


@pytest.mark.slow
def test_second_process_says_so_and_leaves(ntmbench: Command, tmp_path: Path) -> None:
    assert ntmbench(*TINY).code == 0
    (path,) = (tmp_path / "results" / "runs").iterdir()
    before = {file: file.read_bytes() for file in path.iterdir() if file.is_file()}
    with RunFolder(path).locked():
        ended = ntmbench(*TINY, "rerun=true")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "Another process is at work on this run" in ended.err
    assert before == {file: file.read_bytes() for file in path.iterdir() if file.is_file()}
