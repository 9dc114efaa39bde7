"""Cards: what a task asks, with an example that can be read."""

from __future__ import annotations

import pytest

from ntmbench.registry import make_task
from ntmbench.report.sections.cards import HEADER, card


@pytest.mark.parametrize("name", ["reverse", "copy", "adding", "stories"])
def test_a_card_tells_a_task(name: str) -> None:
    task = make_task(name)
    cells = dict(zip(HEADER, card(task, name, "0"), strict=True))
    assert (cells["task"].text, cells["task"].note) == (name, task.family)
    assert cells["train"].text.endswith(str(task.length_range[1]))
    assert cells["test"].text.split() == [f"{length:,}" for length in task.test_lengths]
    answer = "[" if task.output_names else "|"
    assert answer in cells["example"].code
