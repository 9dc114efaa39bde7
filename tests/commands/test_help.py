"""What --help lists: everything that a command line can choose, without a list of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from ntmbench import conf, registry
from ntmbench.commands.help import print_help
from ntmbench.composition.groups import EXPERIMENT

CONF = Path(conf.__path__[0])


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> str:
    print_help()
    return " ".join(capsys.readouterr().out.split())


def test_every_file_is_listed_behind_its_group(lines: str) -> None:
    groups = {"budget": "budget=", "recipe": "recipe=", EXPERIMENT: f"+{EXPERIMENT}="}
    for group, shown in groups.items():
        for file in (CONF / group).rglob("*.yaml"):
            folder = file.parent.relative_to(CONF / group)
            names = sorted(str(folder / other.stem) for other in file.parent.glob("*.yaml"))
            assert f" {shown} {', '.join(names)} " in lines


def test_a_third_partys_observer_is_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(registry._observers, "brought", registry._observers["lines"])
    print_help()
    assert "\nobservers= bar, brought, lines, " in capsys.readouterr().out
