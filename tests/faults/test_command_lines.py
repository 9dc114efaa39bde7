"""Random command lines run, or are refused in one line.

``python -m tests.faults 10000`` draws as many as one likes.
"""

from __future__ import annotations

import pytest

from tests.faults.command_lines import campaign


@pytest.mark.parametrize(
    "number", [10, pytest.param(200, marks=pytest.mark.slow)], ids=["short", "long"]
)
def test_random_command_lines(number: int) -> None:
    counts = campaign(number, seed=number)
    print(counts)
    assert not counts.faults
