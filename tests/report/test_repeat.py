"""The command that the report gives for a run: it starts the very same run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from ntmbench.errors import SettingError
from ntmbench.report.study.commands import command, hydra_value, repeat
from ntmbench.runs.results import load_results
from ntmbench.runs.settings import run_name
from tests.fabricated import fabricate, full_identity
from tests.reporting import build, composed_name, task_of


@pytest.mark.parametrize(
    ("task", "model", "changes"),
    [
        ("copy", "ntm", {}),
        ("recall", "lstm", {"seed": 7}),
        ("sorting", "ntm", {"task": {"max_length": 5}, "model": {"initial_memory": "learned"}}),
        ("copy", "seq2seq", {"train": {"learning_rate": 3e-05, "sequences": 1}}),
        ("ngrams", "ntm", {"evaluation": {"lengths": [100, 250], "sequences": 8}}),
        (
            "copy",
            "custom",
            {"model": {"target": "torch.nn:Linear", "arguments": {"bias": False, "a": "x, y"}}},
        ),
    ],
)
def test_a_command_starts_the_very_same_run(
    task: str, model: str, changes: dict[str, object]
) -> None:
    identity = full_identity(task, model, 0)
    for part, values in changes.items():
        identity[part] = identity[part] | values if isinstance(values, dict) else values
    repeated = repeat(identity)
    assert repeated.differing == ()
    line = command(repeated.overrides, [identity["seed"]])
    assert composed_name(line) == run_name(identity)


def test_a_command_names_what_differs_and_nothing_else() -> None:
    identity = full_identity("recall", "ntm", 3)
    assert command(repeat(identity).overrides, [3]) == (
        "python -m ntmbench task=recall model=ntm seed=3"
    )
    identity["model"]["controller"] = "feedforward"
    assert command(repeat(identity).overrides, [2, 0, 2]) == (
        "python -m ntmbench -m task=recall model=ntm model.controller=feedforward seed=0,2"
    )


def test_a_command_for_a_run_of_another_version_says_what_differs() -> None:
    identity = full_identity("copy", "ntm", 0)
    identity["task"]["version"] += 1
    del identity["model"]["version"]  # from before models had versions
    del identity["train"]["patience"]
    assert repeat(identity).differing == ("task.version", "model.version", "train.patience")


def test_nothing_that_a_run_names_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A results folder may come from anybody: reading it runs no code of its choice."""
    traces = tmp_path / "traces"
    (tmp_path / "payload.py").write_text(
        f"import pathlib\npathlib.Path({str(traces)!r}).write_text('ran')\n"
        "from torch.nn import Linear\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    recorded = {"target": "payload:Linear", "arguments": {"bias": True}, "source": "0" * 16}
    folder = fabricate(tmp_path, model="custom", tested={20: 1}, model_settings=recorded)
    assert folder.read_status()["settings"]["model"]["target"] == "payload:Linear"

    load_results(tmp_path)
    report = build(tmp_path)

    assert not traces.exists()
    assert "payload" not in sys.modules
    (seeds,) = task_of(report).seeds
    assert "model.target=payload:Linear" in seeds.command
    assert "Not compared with what is installed here: model.source." in seeds.caveat


def test_there_is_no_command_for_what_is_not_installed() -> None:
    identity = full_identity("copy", "ntm", 0)
    identity["model"]["name"] = "juggler"
    with pytest.raises(SettingError, match="juggler"):
        repeat(identity)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n\r\0"), max_size=20))
def test_any_text_is_a_value_for_hydra(text: str) -> None:
    line = f"key={hydra_value(text)}"
    read = OverridesParser.create().parse_override(line).value()
    # A reference to another setting is escaped one level further.
    assert str(getattr(read, "text", read)).replace("\\${", "${") == text.replace("\\${", "${")


@pytest.mark.parametrize("module", ["ntmbench", "ntmbench.report"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_help_ends_in_silence_where_its_reader_leaves(module: str, unbuffered: str) -> None:
    """As in `python -m ntmbench --help | head -1`, whenever the reader leaves."""
    helping = subprocess.Popen(
        [sys.executable, "-m", module, "--help"],
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert helping.stdout is not None
    assert helping.stderr is not None
    helping.stdout.close()
    assert helping.stderr.read() == b""
    helping.stderr.close()
    assert helping.wait(timeout=60) == -signal.SIGPIPE
