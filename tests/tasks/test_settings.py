"""Tasks keep their contract at other settings than the defaults, or refuse them in one line."""

from __future__ import annotations

import dataclasses

import pytest

from ntmbench.registry import make_task, task_names
from ntmbench.testing.tasks import check_contract
from tests.drawn import drawn_settings, refusal_of

#: Larger than any size that a machine could hold.
HUGE = 10**12

INTEGERS = [
    (name, field)
    for name in task_names()
    for field, default in dataclasses.asdict(make_task(name)).items()  # type: ignore[call-overload]
    if isinstance(default, int) and not isinstance(default, bool)
]


@pytest.mark.parametrize("number", [0, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", task_names())
def test_a_task_keeps_its_contract_at_drawn_settings(name: str, number: int) -> None:
    check_contract(make_task(name, **drawn_settings(name, number)))


@pytest.mark.parametrize(("name", "field"), INTEGERS)
def test_a_number_is_accepted_or_refused_in_one_line(name: str, field: str) -> None:
    for value in (0, -1, HUGE):
        refusal = refusal_of(name, **{field: value})
        if refusal:
            assert "\n" not in refusal
            assert "Allowed: " in refusal
            assert refusal.startswith("task."), refusal
    assert refusal_of(name, **{field: HUGE}).startswith(f"task.{field}={HUGE} is out of range.")


def test_drawn_settings_are_others_and_always_the_same() -> None:
    first, second = (drawn_settings("recall", number) for number in (0, 1))
    assert first == drawn_settings("recall", 0)
    assert len({tuple(chosen.values()) for chosen in (first, second, {})}) == 3
