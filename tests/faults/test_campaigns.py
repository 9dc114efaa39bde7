"""The campaigns of faults in a short form; ``python -m tests.faults`` runs as many as one likes."""

from __future__ import annotations

import pytest

from tests.faults.campaign import campaigns

CAMPAIGNS = campaigns()


def counted(name: str, number: int) -> None:
    result = CAMPAIGNS[name].run(number, number)
    print(f"{name}: {result.line}")
    assert not result.faults


@pytest.mark.parametrize("name", [name for name, campaign in CAMPAIGNS.items() if campaign.short])
def test_a_few(name: str) -> None:
    counted(name, CAMPAIGNS[name].short)


@pytest.mark.slow
@pytest.mark.parametrize("name", CAMPAIGNS)
def test_more(name: str) -> None:
    counted(name, CAMPAIGNS[name].slow)
