"""The same code on a GPU; skipped if there is none."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from ntmbench import evaluate, make_model, make_task
from ntmbench.registry import model_names
from ntmbench.runs.folder import RunFolder
from ntmbench.training.device import DeviceError, choose_device, quickest
from tests.conftest import TINY, Ended
from tests.small import APART, SMALL
from tests.training.test_resume import stop_at

Command = Callable[..., Ended]

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch sees no GPU here")

#: All models that are trained, at small sizes.
MODELS = {
    name: (f"model={name}", *(f"model.{key}={value}" for key, value in SMALL.get(name, {}).items()))
    for name in sorted(set(model_names()) - APART - {"constant"})
}
RUN = (
    *(argument for argument in TINY if not argument.startswith("model")),
    "train.weight_average=0.9",
)


def only_run(results: Path) -> RunFolder:
    (path,) = (results / "runs").iterdir()
    return RunFolder(path)


def no_step(model: nn.Module, device: torch.device) -> None:
    raise AssertionError("nothing is to be tried")


def test_what_was_asked_for_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.Linear(1, 1)
    assert choose_device("cpu", model, no_step) == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("cuda", model, no_step) == torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto", model, no_step) == torch.device("cpu")
    with pytest.raises(DeviceError, match=r"sees no GPU here. Allowed: device=cpu, auto"):
        choose_device("cuda", model, no_step)


class FakeTime:
    """Devices whose steps take a given time; ``meta`` stands for the GPU."""

    def __init__(self, **seconds: float) -> None:
        self.now = 0.0
        self.seconds = seconds
        self.trained: set[int] = set()

    def __call__(self) -> float:
        return self.now

    def step(self, model: nn.Module, device: torch.device) -> None:
        if self.seconds[device.type] < 0:
            raise torch.OutOfMemoryError("no room")
        assert all(weight.device == device for weight in model.parameters())
        self.trained.add(id(model))
        self.now += self.seconds[device.type]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ({"cpu": 0.001, "meta": 0.040}, "cpu"),  # hundreds of small kernels
        ({"cpu": 0.200, "meta": 0.040}, "meta"),
        ({"cpu": 0.200, "meta": -1}, "cpu"),  # no room on the GPU
    ],
)
def test_auto_takes_the_quicker_device(seconds: dict[str, float], expected: str) -> None:
    model = nn.Linear(2, 2)
    fake = FakeTime(**seconds)
    devices = [torch.device("cpu"), torch.device("meta")]
    assert quickest(devices, model, fake.step, clock=fake).type == expected
    assert id(model) not in fake.trained
    assert model.weight.device.type == "cpu"


def test_no_room_anywhere_is_told() -> None:
    fake = FakeTime(cpu=-1)
    with pytest.raises(torch.OutOfMemoryError):
        quickest([torch.device("cpu")], nn.Linear(2, 2), fake.step, clock=fake)


@needs_gpu
@pytest.mark.parametrize("name", MODELS)
def test_same_run_on_both_devices_gives_close_numbers(
    ntmbench: Command, tmp_path: Path, name: str
) -> None:
    folders = {}
    for device in ("cpu", "cuda"):
        ended = ntmbench(*MODELS[name], *RUN, f"device={device}", f"results_dir={device}")
        assert (ended.code, ended.err) == (0, "")
        folders[device] = only_run(tmp_path / device)
        assert folders[device].read_status()["device"].startswith(device)
    assert folders["cpu"].path.name == folders["cuda"].path.name
    for file in ("metrics.csv", "evaluation.csv"):
        cpu, cuda = (pd.read_csv(folders[d].path / file) for d in ("cpu", "cuda"))
        assert np.isfinite(cuda["loss_bits"]).all()
        assert cuda["loss_bits"].tolist() == pytest.approx(cpu["loss_bits"].tolist(), rel=1e-2)


@needs_gpu
@pytest.mark.parametrize("name", ["lstm", "ntm", "transformer", "gated_delta_net", "dnc"])
def test_interrupted_on_the_gpu_goes_on_there(
    ntmbench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    arguments = (*MODELS[name], *RUN)
    ntmbench(*arguments, "device=cuda", "results_dir=undisturbed")
    with monkeypatch.context() as patched:
        stop_at("after step 7", signal.SIGINT, patched.setattr)
        assert ntmbench(*arguments, "device=cuda").code == 130
    refused = ntmbench(*arguments, "device=cpu")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "was written on another kind of device" in refused.err
    assert ntmbench(*arguments, "device=cuda").code == 0
    resumed, undisturbed = (
        pd.read_csv(only_run(tmp_path / results).metrics)["loss_bits"].tolist()
        for results in ("results", "undisturbed")
    )
    assert resumed == pytest.approx(undisturbed, rel=1e-3)


@needs_gpu
def test_model_on_the_gpu_is_evaluated_there() -> None:
    task = make_task("copy", max_length=3)
    model = make_model("ntm", task.input_width, task.output_width, memory_slots=8)
    on_cpu = evaluate(model, task, sequences=8)
    on_gpu = evaluate(model.to("cuda"), task, sequences=8)
    assert on_gpu["loss_bits"].tolist() == pytest.approx(on_cpu["loss_bits"].tolist(), rel=1e-3)


@needs_gpu
def test_random_state_of_the_gpu_is_left_as_it_is() -> None:
    task = make_task("copy", max_length=3)
    before = torch.cuda.get_rng_state()
    model = make_model("lstm", task.input_width, task.output_width, hidden_size=8)
    evaluate(model.to("cuda"), task, sequences=8)
    assert torch.equal(torch.cuda.get_rng_state(), before)
