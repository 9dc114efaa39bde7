"""The section "Inside the machines": what the looks into the runs of a model have in common."""

from __future__ import annotations

from pathlib import Path

import pytest

from ntmbench.report.page.blocks import Bullets, Pictures, Tabular
from ntmbench.report.sections import inside
from ntmbench.report.study.look import look_ends_table, look_heads_table
from ntmbench.report.study.study import make_study
from ntmbench.runs.results import load_results
from tests.fabricated import fabricate

#: Errors of an answer by its gap, of three seeds; five bins have a fifth of the answers each.
GAPS = ([0.8, 0.4, 0.2, 0.1, 0.1], [1.0, 0.4, 0.2, 0.1, 0.1], [1.2, 0.4, 0.2, 0.1, 0.1])


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for seed, gaps in enumerate(GAPS):
        fabricate(
            tmp_path,
            "sorting",
            seed=seed,
            look={"gap": gaps, "duplicates": [0.2, 0.6, 0.8], "position": [0.5] * 5},
            heads={"slots_in_use": 20.0 + seed, "by_key": 0.9, "on_item": 0.75},
        )
    fabricate(tmp_path, "sorting", "lstm", look={"gap": [2.0, 1.0, 0.5, 0.5, 0.5]})
    return tmp_path


def test_ends_are_compared_with_intervals_over_seeds(results: Path) -> None:
    ends = look_ends_table(make_study(load_results(results), results))
    ntm = ends[ends["label"] == "ntm"].set_index("against")
    gap, duplicates = ntm.loc["gap"], ntm.loc["duplicates"]
    assert (gap["first_to"], gap["last_from"], gap["runs"]) == (1, 8, 3)
    assert gap["first_errors"] == pytest.approx(1.0)
    assert gap["first_errors_low"] < 1 < gap["first_errors_high"]
    assert gap["last_errors"] == pytest.approx(0.1)
    assert duplicates["first_errors"] == pytest.approx(0.2)  # none
    assert duplicates["last_errors"] == pytest.approx(0.7)  # one and more, together
    assert list(ntm.loc["position", ["first_errors", "last_errors"]]) == [0.5, 0.5]


def test_a_look_is_told_drawn_and_tabled(results: Path) -> None:
    study = make_study(load_results(results), results)
    blocks = list(inside.blocks(study))
    (bullets,) = (block.items for block in blocks if isinstance(block, Bullets))
    assert bullets[0] == (
        "By gap: ntm makes 1.00 (0.800 to 1.20) wrong bits where the gap is at most 1 and 0.100 "
        "where it is over 8, 10.0 times as many in the first case; lstm 2.00 and 0.500."
    )
    assert (
        bullets[2]
        == "By step: ntm makes 0.500 wrong bits at steps up to 1 and 0.500 at steps from 5 on."
    )
    ends, heads = (block.table for block in blocks if isinstance(block, Tabular))
    assert len(ends.rows) == 4
    assert [cell.text for cell in heads.rows[0]][:5] == ["ntm", "write head", "3", "21.0", "90%"]
    assert heads.rows[1][-1].text == "75%"
    (pictures,) = (block.pictures for block in blocks if isinstance(block, Pictures))
    drawn = [picture.file for picture in pictures]
    assert drawn == [f"sorting-look-{against}.svg" for against in ("gap", "duplicates", "position")]
    assert set(inside.tables(study)) == {"look", "look_ends", "heads"}


def test_the_head_with_the_most_counts(results: Path) -> None:
    heads = look_heads_table(make_study(load_results(results), results)).set_index("does")
    assert list(heads.loc["write", ["slots_in_use_median", "slots_in_use_max"]]) == [21, 22]


def test_runs_without_a_look_have_no_section(tmp_path: Path) -> None:
    fabricate(tmp_path)
    study = make_study(load_results(tmp_path), tmp_path)
    assert list(inside.blocks(study)) == []
    assert inside.tables(study) == {}
