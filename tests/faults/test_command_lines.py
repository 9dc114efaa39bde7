"""Random command lines run, or are refused in one line."""

from __future__ import annotations

import pytest

from tests.faults.command_lines import campaign


@pytest.mark.parametrize(
    "number", [40, pytest.param(2000, marks=pytest.mark.slow)], ids=["short", "long"]
)
def test_random_command_lines(number: int) -> None:
    counts = campaign(number, seed=number)
    print(counts)
    assert not counts.faults
