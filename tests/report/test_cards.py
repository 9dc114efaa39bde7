"""Cards: what a task asks, with an example that can be read."""

from __future__ import annotations

import pytest

from ntmbench.evaluation.levels import length_levels
from ntmbench.registry import make_task
from ntmbench.report.page import numbers
from ntmbench.report.page.blocks import Cell
from ntmbench.report.sections.cards import HEADER, LINES, SEQUENCES, card


def cells_of(name: str) -> dict[str, Cell]:
    """The cells of a task's card, by the columns' names."""
    return dict(zip(HEADER, card(make_task(name), name), strict=True))


@pytest.mark.parametrize("name", ["reverse", "copy", "adding", "stories"])
def test_a_card_tells_a_task(name: str) -> None:
    task, cells = make_task(name), cells_of(name)
    assert (cells["task"].text, cells["task"].note) == (name, task.family)
    assert cells["train"].text.endswith(str(task.length_range[1]))
    assert cells["test"].text.split() == [f"{length:,}" for length in task.test_lengths]
    answer = "[" if task.output_names else "|"
    assert answer in cells["example"].code
    unit = f"wrong {task.answer.unit}s"
    assert (cells["optimum"].text, cells["optimum"].note, cells["chance"].note) == ("0", unit, unit)


@pytest.mark.parametrize("name", ["one_shot", "grammar"])
def test_chance_and_optimum_are_of_the_longest_training_length(name: str) -> None:
    """They can be compared: a mean over shorter sequences, too, would be far from this one."""
    task, cells = make_task(name), cells_of(name)
    longest = task.length_range[1]
    optimum, chance = length_levels(task, longest, SEQUENCES).optimum, task.chance(longest)
    for column, level in (("optimum", optimum), ("chance", chance)):
        loss = f"{numbers.score(level.loss_bits)} loss bits"
        told = (numbers.score(level.errors), f"wrong symbols; {loss}")
        assert (cells[column].text, cells[column].note) == told


def test_a_pattern_of_bits_is_a_table_and_not_words() -> None:
    header, *steps = cells_of("one_shot")["example"].code.split("\n")
    assert header.endswith("15 a b c d e | a b c d e")
    assert 0 < len(steps) <= LINES
    assert {len(line) for line in steps} == {len(header)}
