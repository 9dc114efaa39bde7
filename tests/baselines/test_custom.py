"""`model=custom`: a module of the user's own is trained and tested like any model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.baselines.tiny_runs import REST, only_run
from tests.conftest import Ended

Command = Callable[..., Ended]
pytestmark = pytest.mark.usefixtures("undrawn")

NETS = '''
import torch
from torch import nn

from ntmbench import SequenceModel


class Elman(nn.Module):
    """A plain module, with arguments of its own."""

    def __init__(self, inputs, outputs, hidden=4, layers=1):
        super().__init__()
        self.recurrent = nn.RNN(inputs, hidden, layers)
        self.output = nn.Linear(hidden, outputs)

    def forward(self, inputs):
        return self.output(self.recurrent(inputs)[0])


class Teachable(SequenceModel):
    """One that keeps the suite's whole contract."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.shown = set()

    def answer(self, inputs, answer_start, targets=None):
        assert (targets is not None) == self.training
        return self.linear(inputs)


class Choosy(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        raise ValueError("not\\nthis size")


class Broken(nn.Linear):
    def forward(self, inputs):
        raise KeyError("weights")


class Pair(nn.Linear):
    def forward(self, inputs):
        return super().forward(inputs), None


class Leaving(nn.Linear):
    def forward(self, inputs):
        raise SystemExit(3)


class LeavingAtOnce(nn.Linear):
    def __init__(self, inputs, outputs):
        raise SystemExit(4)


class Half(nn.Linear):
    def forward(self, inputs):
        return super().forward(inputs).half()


class Double(nn.Linear):
    def forward(self, inputs):
        return super().forward(inputs).double()


class Complex(nn.Linear):
    def forward(self, inputs):
        return torch.complex(super().forward(inputs), super().forward(inputs))


class Detached(nn.Linear):
    def forward(self, inputs):
        return super().forward(inputs).detach()


class Ungraded(nn.Linear):
    @torch.no_grad()
    def forward(self, inputs):
        return super().forward(inputs)


class OnlyTested(nn.Linear):
    def forward(self, inputs):
        if self.training:
            raise ValueError("no training")
        return super().forward(inputs)


class Large(nn.Linear):
    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs)
        self.table = nn.Parameter(torch.empty(2**50))


class Nan(nn.Linear):
    def forward(self, inputs):
        return super().forward(inputs) * float("nan")


class Sparse(nn.Module):
    def __init__(self, inputs, outputs, sparse=True):
        super().__init__()
        self.embedding = nn.Embedding(2**inputs, outputs, sparse=sparse)

    def forward(self, inputs):
        powers = 2 ** torch.arange(inputs.shape[2])
        return self.embedding((inputs.long() * powers).sum(dim=2))
'''


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package of models; its import name differs in each test, because imports are cached."""
    name = f"nets_{tmp_path.name.rpartition('_')[2]}_{abs(hash(tmp_path))}"
    package = tmp_path / "packages" / name
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "models.py").write_text(NETS)
    monkeypatch.syspath_prepend(str(package.parent))
    return f"{name}.models"


def parameters(inputs: int, outputs: int, hidden: int, layers: int) -> int:
    recurrent = hidden * (inputs + hidden + 2) + (layers - 1) * hidden * (2 * hidden + 2)
    return recurrent + outputs * (hidden + 1)


@pytest.mark.parametrize(
    ("arguments", "hidden", "layers"),
    [
        ([], 4, 1),
        (["model.arguments={hidden:6,layers:2}"], 6, 2),
        (["model.arguments.hidden=5"], 5, 1),
        (["+model.arguments.hidden=5", "model.arguments.layers=3"], 5, 3),
    ],
)
def test_custom_model(
    ntmbench: Command, tmp_path: Path, nets: str, arguments: list[str], hidden: int, layers: int
) -> None:
    ended = ntmbench("model=custom", f"model.target={nets}:Elman", *arguments, *REST)
    assert (ended.code, ended.err) == (0, "")
    status = only_run(tmp_path).read_status()
    assert status["parameters"] == parameters(9, 8, hidden, layers)
    assert status["settings"]["model"]["target"] == f"{nets}:Elman"
    assert len(pd.read_csv(only_run(tmp_path).evaluation)) == 2


def test_arguments_are_part_of_the_runs_identity(
    ntmbench: Command, tmp_path: Path, nets: str
) -> None:
    for hidden in (5, 6):
        ended = ntmbench(
            "model=custom", f"model.target={nets}:Elman", f"model.arguments.hidden={hidden}", *REST
        )
        assert ended.code == 0
    assert len(list((tmp_path / "results" / "runs").iterdir())) == 2


def test_custom_sequence_model_is_taken_as_it_is(
    ntmbench: Command, tmp_path: Path, nets: str
) -> None:
    target = ("model=custom", f"model.target={nets}:Teachable")
    assert ntmbench(*target, *REST).code == 0


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("Choosy", [], "cannot be built as Choosy(9, 8, **model.arguments): ValueError: not this"),
        ("Elman", ["+model.arguments.size=3"], "unexpected keyword argument 'size'"),
        ("Broken", [], "fails on inputs [T, B, in] = [3, 2, 9]: KeyError: 'weights'"),
        ("Pair", [], "returned a tuple. Expected: a tensor of logits [T, B, out] = [3, 2, 8]"),
        ("Missing", [], "cannot be imported: AttributeError"),
        ("Leaving", [], "fails on inputs [T, B, in] = [3, 2, 9]: SystemExit: 3"),
        ("LeavingAtOnce", [], "**model.arguments): SystemExit: 4"),
        ("Half", [], "returned logits of type torch.float16. Expected: torch.float32"),
        ("Double", [], "returned logits of type torch.float64. Expected: torch.float32"),
        ("Complex", [], "returned logits of type torch.complex64. Expected: torch.float32"),
        ("Detached", [], "returned logits that do not depend on its weights"),
        ("Ungraded", [], "returned logits that do not depend on its weights"),
        ("OnlyTested", [], "fails on inputs [T, B, in] = [3, 2, 9]: ValueError: no training"),
        ("Large", [], "cannot be built as Large(9, 8, **model.arguments): RuntimeError: "),
        ("Elman:forward", [], "names no class. Allowed: module:Class"),
    ],
)
def test_custom_model_that_is_refused(
    ntmbench: Command, tmp_path: Path, nets: str, name: str, arguments: list[str], reason: str
) -> None:
    ended = ntmbench("model=custom", f"model.target={nets}:{name}", *arguments)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert ended.err.startswith(f"ntmbench: model.target={nets}:{name}")
    assert reason in ended.err
    assert not (tmp_path / "results").exists()


def test_module_that_ends_the_process_at_import_is_refused(
    ntmbench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"leaving_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text("raise SystemExit(3)")
    monkeypatch.syspath_prepend(str(tmp_path))
    ended = ntmbench("model=custom", f"model.target={name}:Net")
    assert (ended.code, ended.err) == (
        2,
        f"ntmbench: model.target={name}:Net cannot be imported: SystemExit: 3\n",
    )


def test_logits_that_are_never_numbers_end_as_diverged(
    ntmbench: Command, tmp_path: Path, nets: str
) -> None:
    """With fewer steps, 16, than the patience."""
    ended = ntmbench("model=custom", f"model.target={nets}:Nan", *REST)
    assert (ended.code, ended.err) == (1, "")
    status = only_run(tmp_path).read_status()
    assert status["state"] == "diverged"
    assert status["error"].startswith("diverged after 16 steps: 16 in a row without finite loss")


def test_sparse_gradients_train_as_dense_ones(ntmbench: Command, tmp_path: Path, nets: str) -> None:
    for sparse in (True, False):
        custom = ("model=custom", f"model.target={nets}:Sparse", f"model.arguments.sparse={sparse}")
        ended = ntmbench(*custom, f"results_dir={sparse}", "device=cpu", *REST)
        assert (ended.code, ended.err) == (0, "")
    tables = []
    for results in ("True", "False"):
        (run,) = (tmp_path / results / "runs").iterdir()
        tables.append(pd.read_csv(run / "metrics.csv")["loss_bits"].to_list())
    assert tables[0] == tables[1]
    assert len(set(tables[0])) > 1
