"""The scorecard: what the literature says beside what the runs say."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ntmbench.data.literature import (
    Literature,
    LiteratureError,
    Measure,
    Source,
    library,
    read_library,
)
from ntmbench.errors import SettingError
from ntmbench.report.build import Report
from ntmbench.report.study.scorecard import verdict
from tests.fabricated import fabricate
from tests.reporting import build, table_of

SOMEBODY = Source("Somebody", "https://example.org", 2020, title="A title", authors="Somebody")


def entry(measure: Measure, low: float, high: float, tolerance: float) -> Literature:
    return Literature("copy", "ntm", None, measure, None, low, high, tolerance, "", SOMEBODY)


@pytest.mark.parametrize(
    ("ours", "expected"),
    [(7_400, "better"), (7_600, "same"), (12_500, "same"), (12_600, "worse"), (math.inf, "worse")],
)
def test_sequences_are_judged_with_a_relative_tolerance(ours: float, expected: str) -> None:
    assert verdict(entry(Measure.SEQUENCES, 10_000, 10_000, 0.25), ours) == expected


@pytest.mark.parametrize(
    ("ours", "expected"),
    [(16.9, "better"), (17.1, "same"), (21, "same"), (21.1, "worse"), (math.nan, "not measured")],
)
def test_bits_are_judged_with_an_absolute_tolerance(ours: float, expected: str) -> None:
    assert verdict(entry(Measure.LOSS_BITS, 18, 20, 1), ours) == expected


def test_more_bits_after_a_shorter_training_can_not_be_told() -> None:
    after_a_million = replace(entry(Measure.LOSS_BITS, 18, 20, 1), spent=1_000_000)
    assert verdict(after_a_million, 30, 300_000) == "cannot tell (budget)"
    assert verdict(after_a_million, 30, 1_000_000) == "worse"
    assert verdict(after_a_million, 10, 300_000) == "better"
    assert verdict(after_a_million, 19, 300_000) == "same"


def test_runs_that_have_not_ended_can_not_tell(tmp_path: Path) -> None:
    settings = {"sequences": 120_000}
    for seed in range(4):
        state, bits = ("running", [80, 80]) if seed else ("finished", [80, 0, 0, 0])
        fabricate(tmp_path, seed=seed, state=state, errors=bits, train_settings=settings)
    row, _ = of_literature(build(tmp_path), "about 17,000")
    assert row["verdict"] == "cannot tell (budget)"


def test_runs_that_diverged_would_not_have_solved_it(tmp_path: Path) -> None:
    settings = {"sequences": 120_000}
    for seed in range(4):
        fabricate(tmp_path, seed=seed, state="diverged", train_settings=settings)
    row, _ = of_literature(build(tmp_path), "about 17,000")
    assert row["verdict"] == "worse"


def test_not_solving_what_the_literature_did_not_solve_is_the_same() -> None:
    assert verdict(entry(Measure.SEQUENCES, 1e6, math.inf, 0), math.inf) == "same"


def test_the_scorecard_has_every_figure_of_the_literature(tmp_path: Path) -> None:
    for seed in range(3):
        fabricate(
            tmp_path,
            seed=seed,
            errors=[80, 0, 0, 0],
            tested={20: 0, 120: 3},
            train_settings={"batch_size": 4},
        )
    scorecard = build(tmp_path).tables["scorecard"]
    assert len(scorecard) == len(library().figures)
    copy = scorecard[(scorecard["task"] == "copy") & (scorecard["label"] == "ntm")]
    verdicts = dict(zip(copy["says"], copy["verdict"], strict=True))
    assert verdicts["near zero by about 100,000"] == "better"
    assert verdicts["0.0% wrong at length 120"] == "worse"
    # In batches of four, by a machine of another size than theirs.
    assert verdicts["11.3 ms at batch size 1 on a laptop's CPU"] == "not comparable"
    assert set(scorecard.loc[scorecard["task"] != "copy", "verdict"]) == {"not measured"}


def of_literature(report: Report, says: str) -> tuple[dict[Hashable, Any], list[str]]:
    """The row of a figure of the literature, and what the page has in it."""
    (place,) = np.flatnonzero(report.tables["scorecard"]["says"] == says)
    row = report.tables["scorecard"].iloc[int(place)].to_dict()
    cells = table_of(report, "scorecard").rows[int(place)]
    return row, [part for cell in cells for part in (cell.text, cell.note) if part]


def test_what_ended_before_the_literature_did_can_not_be_told() -> None:
    by_150k = entry(Measure.SEQUENCES, 150_000, 150_000, 0.25)
    assert verdict(by_150k, math.inf, 100_000) == "cannot tell (budget)"
    assert verdict(by_150k, math.inf, 187_500) == "worse"
    assert verdict(by_150k, 100_000, 100_000) == "better"
    never = entry(Measure.SEQUENCES, 1e6, math.inf, 0)
    assert verdict(never, math.inf, 100_000) == "cannot tell (budget)"
    assert verdict(never, math.inf, 1_000_000) == "same"


def test_times_are_compared_at_equal_batch_size_and_parameters_only(tmp_path: Path) -> None:
    says = "11.3 ms at batch size 1 on a laptop's CPU"
    single = {"batch_size": 1}
    fabricate(tmp_path, train_settings=single, sequences_per_second=500.0)
    assert of_literature(build(tmp_path), says)[0]["verdict"] == "better"
    fabricate(tmp_path, seed=1, train_settings=single, parameters=20_000)
    assert of_literature(build(tmp_path), says)[0]["verdict"] == "not comparable"


def test_one_seed_with_mistakes_is_no_same_where_none_are_claimed(tmp_path: Path) -> None:
    for seed, wrong in enumerate((0, 0, 80, None)):
        tested = None if wrong is None else {20: 0.0, 120: wrong}
        fabricate(
            tmp_path, seed=seed, tested=tested, state="failed" if tested is None else "finished"
        )
    row, cells = of_literature(build(tmp_path), "0.0% wrong at length 120")
    assert (row["ours"], row["runs"], row["tested"], row["verdict"]) == (0, 4, 3, "worse")
    assert "0 to 80.0; 4 runs of 3,000 sequences; 3 of 4 tested" in cells


def test_a_stricter_threshold_is_reached_later(tmp_path: Path) -> None:
    wrong = [80, 0.08, 0.08, 0.01]
    for seed in range(5):
        fabricate(tmp_path, seed=seed, model_settings={"controller": "lstm"}, errors=wrong)
    report = build(tmp_path)
    assert of_literature(report, "under 0.05 bits at 10,000")[0]["ours"] == 3000
    assert of_literature(report, "about 17,000")[0]["ours"] == 1000


def test_an_endless_interval_of_runs_that_all_solved_it_is_not_told_as_unsolved(
    tmp_path: Path,
) -> None:
    for seed, points in enumerate((1, 2, 3, 3)):
        fabricate(tmp_path, seed=seed, errors=[80] * points + [0] * (4 - points))
    report = build(tmp_path)
    _, cells = of_literature(report, "about 17,000")
    assert "1,000 or more; half by 2,000, half from 3,000; 4 runs of 3,000 sequences" in cells
    (row,) = table_of(report, "summary").rows
    summary = dict(zip(table_of(report, "summary").header, row, strict=True))
    assert summary["sequences to solve"].note == ("1,000 or more; half by 2,000, half from 3,000")


def test_other_sizes_are_not_set_beside_the_literature(tmp_path: Path) -> None:
    fabricate(tmp_path, task_settings={"bits": 4}, tested={20: 0})
    assert set(build(tmp_path).tables["scorecard"]["verdict"]) == {"not measured"}


SAMPLE = """
sources:
  here: {cite: Somebody 2020, title: A title, authors: Somebody, year: 2020,
    address: "https://example.org"}
figures:
  - {task: copy, model: ntm, measure: errors, value: [0, 1], tolerance: 0.1, says: few,
    source: here, where: table 1}
parameters:
  - {task: copy, model: ntm, controller: lstm, count: 5}
"""


def test_literature_is_read_as_it_is_written() -> None:
    read = read_library(SAMPLE)
    (figure,) = read.figures
    assert (figure.low, figure.high, figure.measure) == (0, 1, Measure.ERRORS)
    assert (figure.controller, figure.length) == (None, None)
    assert figure.cited == "Somebody 2020, table 1"
    assert read.parameters == {("copy", "ntm", "lstm"): 5}


@pytest.mark.parametrize(
    ("old", "new", "refusal"),
    [
        ("source: here", "source: heer", "source=heer is not a choice.*Did you mean 'here'"),
        ("measure: errors", "measure: error", "Did you mean 'errors'"),
        ("tolerance: 0.1, ", "", "has no tolerance"),
        ("tolerance", "tolerence", "no setting 'tolerence'"),
        ("[0, 1]", "[2, 1]", "from the lowest to the highest"),
        ("value: [0, 1], ", "", "has no value"),
        ("errors", "sequences to reach", "below goes with"),
        ("https://example.org", "example.org", "https://"),
        ("title: A title, ", "", "a title and authors, or a repository"),
        ("parameters:", "sizes:", "no setting 'sizes'"),
    ],
)
def test_literature_that_cannot_be_used_is_refused_in_one_line(
    old: str, new: str, refusal: str
) -> None:
    assert old in SAMPLE
    with pytest.raises((LiteratureError, SettingError), match=refusal) as refused:
        read_library(SAMPLE.replace(old, new))
    assert "\n" not in str(refused.value)


def test_sources_go_by_their_names() -> None:
    """Nobody can look up "a much-used NTM in PyTorch"."""
    for source in library().sources.values():
        assert source.repository in source.address
        assert source.repository or (source.title and source.authors)
    cited = {source.address for source in library().sources.values()}
    assert {
        "https://github.com/loudinthecloud/pytorch-ntm",
        "https://github.com/mgupta8143/neural-turing-machines",
        "https://arxiv.org/abs/1807.08518",
    } <= cited


def test_sources_are_linked(tmp_path: Path) -> None:
    fabricate(tmp_path, tested={20: 0})
    row, _ = of_literature(build(tmp_path), "about 17,000")
    assert row["source"] == "loudinthecloud/pytorch-ntm, README"
    scorecard = table_of(build(tmp_path), "scorecard")
    links = {cell.note: cell.href for cells in scorecard.rows for cell in cells if cell.href}
    assert links[row["source"]] == row["address"]
