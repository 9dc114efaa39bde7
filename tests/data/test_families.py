"""The order of families: one for README, the gallery and the report."""

from __future__ import annotations

import re
from pathlib import Path

from ntmbench.data.families import FAMILIES, family_place
from ntmbench.registry import task_class, task_names

README = Path(__file__).parents[2] / "README.md"


def test_families_stand_as_in_readme() -> None:
    told = README.read_text().partition("| family |")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"^\| (\w+) \|", told, re.MULTILINE)) == FAMILIES


def test_every_task_of_the_suite_is_of_a_family() -> None:
    own = [task_class(name) for name in task_names()]
    found = {kind.family for kind in own if kind.__module__.startswith("ntmbench.tasks.")}
    assert found == set(FAMILIES)


def test_families_of_third_parties_come_last() -> None:
    assert sorted(["zoo", "act", "", "copying", "reproduce"], key=family_place) == [
        *("reproduce", "act"),
        *("", "copying", "zoo"),
    ]
