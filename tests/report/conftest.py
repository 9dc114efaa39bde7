"""The reports of most tests are without the pictures of tasks, which take two thirds of the time.

A test that looks at them, or at what is hard to draw, asks for ``illustrated``.
"""

from __future__ import annotations

from typing import Any

import pytest

from ntmbench.report.page.blocks import Picture
from ntmbench.report.sections import tasks


@pytest.fixture
def illustrated() -> None:
    """Draw the pictures of tasks."""


@pytest.fixture(autouse=True)
def _undrawn_tasks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def undrawn(*arguments: Any) -> list[Picture]:
        return []

    if "illustrated" not in request.fixturenames:
        monkeypatch.setattr(tasks, "section_pictures", undrawn)
