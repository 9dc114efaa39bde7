"""The examples and commands of README and the findings work as they stand."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hydra import compose

from ntmbench import registry
from ntmbench.commands.expansion import cells_of, with_experiment
from ntmbench.composition.composing import composing, to_run_config
from ntmbench.testing import check_model, check_task
from tests.house.test_readme import README, ROOT, prose

#: Of sweeps with more cells about so many are composed, evenly spaced.
SOME = 40


def example(file: str) -> str:
    """The block of Python that README has for a file."""
    text = README.read_text(encoding="utf-8")
    (code,) = re.findall(rf"`{re.escape(file)}`:\n\n```python\n(.*?)```", text, re.S)
    return str(code)


@pytest.fixture
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is forgotten after it."""
    registry.load_plugins()
    for names in ("_tasks", "_models"):
        monkeypatch.setattr(registry, names, dict(getattr(registry, names)))


@pytest.mark.usefixtures("_forgotten")
def test_the_example_of_a_task_keeps_the_contract() -> None:
    exec(example("tasks/reproduce/rotate.py"), {"__name__": __name__})
    task = registry.make_task("rotate")
    check_task(task)
    batch = task.test_set(3, 2)
    shown, asked = batch.inputs[:3, :, :8], batch.targets[batch.answer_start :]
    assert np.array_equal(shown[[1, 2, 0]], asked)


@pytest.mark.usefixtures("_forgotten")
def test_the_example_of_a_model_keeps_the_contract() -> None:
    exec(example("baselines/recurrent/my_gru.py"), {"__name__": __name__})
    check_model("my_gru", hidden_size=5)


def test_runs_and_sweeps_are_accepted_as_they_stand() -> None:
    text = README.read_text(encoding="utf-8")
    commands = re.findall(
        r"^(?:.*&& )?python -m ntmbench(?:\.bench\.hours)? (?:-m )?((?:task=|\+).*)$", text, re.M
    )
    assert len(commands) == 7
    for command in commands:
        words = command.partition("#")[0].split()
        # The reader's own class; any other is there to be imported.
        words = [word.replace("my_module:MyModel", "torch.nn:Linear") for word in words]
        if words == ["+experiment=reference"]:  # a campaign, see below
            continue
        cells = cells_of(with_experiment(words, sweep=True))
        for cell in cells[:: 1 + len(cells) // SOME]:
            with composing():
                to_run_config(compose("config", list(cell)))
    for experiment in re.findall(r"\+experiment=([\w/]+)", text + prose()):
        path = ROOT / "conf" / "experiment" / experiment
        assert path.is_dir() or path.with_suffix(".yaml").is_file(), experiment
