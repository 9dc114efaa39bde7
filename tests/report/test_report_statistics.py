"""Statistics over seeds: answers known beforehand."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntmbench.data.literature import paper_results
from ntmbench.evaluation.levels import data_levels, length_levels, validation_levels
from ntmbench.registry import make_task
from ntmbench.report.page import numbers
from ntmbench.report.study.grouping import with_groups
from ntmbench.report.study.outcomes import (
    curve_band,
    effective_length,
    outcomes,
    reached_at,
    stays_from,
)
from ntmbench.statistics.intervals import quantile
from ntmbench.task import Task
from tests.fabricated import curve

INF = math.inf


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([3, 1, 2], 0.5, 2),
        ([1, 2], 0.5, 1.5),
        ([1, 2, 3, 4], 0.25, 1.75),
        ([1, 2, INF], 0.5, 2),
        ([1, 2, INF], 0.75, INF),
        ([1, INF], 0.5, INF),
        ([INF, INF], 0.5, INF),
        ([5], 0.75, 5),
    ],
)
def test_a_quantile_counts_infinity_as_the_largest_value(
    values: Sequence[float], share: float, expected: float
) -> None:
    assert quantile(values, share) == expected


def test_there_is_no_quantile_of_nothing() -> None:
    assert math.isnan(quantile([], 0.5))


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20),
    st.floats(0, 1),
)
def test_quantiles_of_finite_values_are_numpys(values: list[float], share: float) -> None:
    assert quantile(values, share) == pytest.approx(np.quantile(values, share), abs=1e-6)


@pytest.mark.parametrize(
    ("errors", "reached", "solved"),
    [
        ([9, 5, 0.09, 0], 2000, 2000),
        ([9, 0, 5, 0], 1000, 3000),  # fell apart, and learned it again
        ([9, 0, 0, 5], 1000, INF),  # fell apart at the end
        ([9, 0.1, 0.1], INF, INF),  # 0.1 is not under 0.1
        ([0, 0], 0, 0),
        ([9, 0, math.nan], 1000, INF),
        ([9, math.nan, 0], 2000, 2000),
        ([], INF, INF),
    ],
)
def test_reached_is_the_first_time_and_solved_is_for_good(
    errors: list[float], reached: float, solved: float
) -> None:
    assert reached_at(curve(errors)) == reached
    assert stays_from(curve(errors)) == solved


def _runs(**states: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "run": list(states),
            "state": list(states.values()),
            "active": False,
            "seed": 0,
            "train_sequences": 5000,
        }
    )


def _metrics(**curves: list[float]) -> pd.DataFrame:
    return pd.concat([curve(bits).assign(run=run) for run, bits in curves.items()])


def test_only_a_finished_run_has_solved_its_task() -> None:
    found = outcomes(
        _runs(a="finished", b="running", c="failed", d="diverged", e="failed"),
        _metrics(a=[9, 0], b=[9, 0, 0], c=[9, 0], d=[9, 0]),
    ).set_index("run")
    assert found["outcome"].to_dict() == {
        "a": "finished",
        "b": "interrupted",
        "c": "failed",
        "d": "diverged",
        "e": "failed",
    }
    assert found["solved_at"].to_list() == [1000, INF, INF, INF, INF]
    assert found["reached_at"].to_list() == [1000, 1000, 1000, 1000, INF]
    assert found["trained"].to_list() == [1000, 2000, 1000, 1000, 0]


def test_a_run_that_a_process_is_at_work_on_is_running() -> None:
    runs = _runs(a="running").assign(active=True)
    assert outcomes(runs, _metrics(a=[9]))["outcome"].to_list() == ["running"]


def test_the_time_to_solve_of_an_unsolved_run_is_censored() -> None:
    found = outcomes(
        _runs(a="finished", b="finished", c="running", d="failed", e="diverged", f="failed"),
        _metrics(a=[9, 0, 0], b=[9, 0, 9], c=[9, 0, 0], d=[9, 9], e=[9, 9]),
    ).set_index("run")
    assert found["observed"].to_list() == [True, False, False, False, False, False]
    # At its budget of 5,000 where training would not have come back, and otherwise at what was
    # trained: b was content with its selected weights, and c may be there, but has yet to stay.
    assert found["time"].to_list() == [1000, 2000, 2000, 1000, 5000, 0]


def test_a_run_whose_budget_is_not_known_is_censored_at_what_it_trained() -> None:
    runs = _runs(a="finished").assign(train_sequences=math.nan)
    assert outcomes(runs, _metrics(a=[9, 9]))["time"].to_list() == [1000]


def test_validation_on_too_few_sequences_is_marked() -> None:
    runs, metrics = _runs(a="finished", b="finished", c="finished"), _metrics(a=[0])
    settings = {
        run: {"train": {"validation_sequences": count}}
        for run, count in (("a", 640), ("b", 639), ("c", None))
    }
    assert outcomes(runs, metrics, settings)["enough_validation"].to_list() == [True, False, False]
    assert outcomes(runs, metrics)["enough_validation"].isna().all()


def test_the_least_of_the_learning_curve_is_told() -> None:
    runs = _runs(a="finished", b="failed")
    found = outcomes(runs, _metrics(a=[9, 2, 4]))
    assert found["validation_errors"].iloc[0] == 2
    assert found["validation_errors"].isna().to_list() == [False, True]


def test_the_band_over_seeds_has_the_medians_and_quartiles_of_each_point() -> None:
    metrics = _metrics(a=[8, 4], b=[6, 2], c=[4, 0])
    band = curve_band(metrics, pd.Series(dict.fromkeys("abc", "finished")), "errors")
    assert band["sequences"].to_list() == [0, 1000]
    assert band["median"].to_list() == [6, 2]
    assert band["low"].to_list() == [5, 1]
    assert band["high"].to_list() == [7, 3]


def test_a_diverged_run_stays_in_the_median_and_an_unfinished_one_leaves_it() -> None:
    metrics = _metrics(a=[8, 2, 0], b=[8], c=[8, 1])
    outcome = pd.Series({"a": "finished", "b": "diverged", "c": "interrupted"})
    band = curve_band(metrics, outcome, "errors")
    assert band["runs"].to_list() == [3, 3, 2]
    assert band["median"].to_list() == [8, 2, INF]


def test_a_finished_run_stays_in_the_median_after_its_end() -> None:
    """Two that make no mistakes need no second attempt; the third begins anew."""
    metrics = _metrics(a=[8, 0], b=[8, 0], c=[8, 4, 8, 6])
    outcome = pd.Series(dict.fromkeys("abc", "finished"))
    band = curve_band(metrics, outcome, "errors")
    assert band["runs"].to_list() == [3, 3, 3, 3]
    assert band["median"].to_list() == [8, 0, 0, 0]
    assert band["high"].to_list() == [8, 2, 4, 3]


def test_a_loss_that_is_not_a_number_counts_as_infinite() -> None:
    metrics = _metrics(a=[8, math.nan], b=[8, 1])
    outcome = pd.Series({"a": "finished", "b": "finished"})
    assert curve_band(metrics, outcome, "loss_bits")["median"].to_list() == [16, INF]


def test_runs_are_named_by_the_settings_in_which_they_differ() -> None:
    def identity(bits: int, controller: str, rate: float) -> dict[str, object]:
        return {
            "task": {"name": "copy", "version": 1, "bits": bits},
            "model": {"name": "ntm", "controller": controller, "word_size": 20},
            "train": {"sequences": 10, "learning_rate": rate},
        }

    settings = {
        "a": identity(8, "lstm", 0.1),
        "b": identity(8, "feedforward", 0.1),
        "c": identity(4, "lstm", 0.1),
        "d": identity(4, "lstm", 0.2),
    }
    runs = pd.DataFrame(
        {"run": list("abcd"), "task": "copy", "model": "ntm", "setting": list("ABCD"), "seed": 0}
    )
    named = with_groups(runs, settings).set_index("run")
    assert named["section"].to_dict() == {
        "a": "copy (bits=8)",
        "b": "copy (bits=8)",
        "c": "copy (bits=4)",
        "d": "copy (bits=4)",
    }
    assert named["label"].to_dict() == {
        "a": "ntm (controller=lstm)",
        "b": "ntm (controller=feedforward)",
        "c": "ntm (train.learning_rate=0.1)",
        "d": "ntm (train.learning_rate=0.2)",
    }


def test_the_recipe_that_others_vary_goes_by_the_bare_name() -> None:
    varied: dict[str, dict[str, float]] = {
        "a": {},
        "b": {"clip_norm": 1.0},
        "c": {"clip_norm": 0.0},
        "d": {"clip_norm": 0.0, "clip_value": 10.0},
        "e": {"learning_rate": 0.2},
        "f": {"momentum": 0.5},
        "g": {"patience": 1},
    }
    recipe = {
        "learning_rate": 0.1,
        "momentum": 0.9,
        "patience": 20,
        "clip_norm": 10.0,
        "clip_value": 0.0,
    }
    settings = {
        run: {"task": {"name": "copy"}, "model": {"name": "ntm"}, "train": recipe | changes}
        for run, changes in varied.items()
    }
    # Two seeds of the same settings have no more weight than one.
    settings |= {f"{seed}": settings["c"] for seed in range(10)}
    runs = pd.DataFrame({"run": list(settings), "task": "copy", "model": "ntm", "seed": 0})
    runs["setting"] = [json.dumps(settings[run]) for run in settings]
    named = with_groups(runs, settings).set_index("run")["label"]
    assert named[list("abcdefg")].to_list() == [
        "ntm",
        "ntm (train.clip_norm=1.0)",
        "ntm (train.clip_norm=0.0)",
        "ntm (train.clip_norm=0.0, train.clip_value=10.0)",
        "ntm (train.learning_rate=0.2)",
        "ntm (train.momentum=0.5)",
        "ntm (train.patience=1)",
    ]


def test_a_value_is_left_out_where_no_other_is_as_frequent() -> None:
    varied = {"a": (208, 0.1), "b": (64, 0.1), "c": (128, 0.1), "d": (208, 10.0)}
    settings = {
        run: {"model": {"name": "ntm", "memory_slots": slots}, "train": {"clip_norm": norm}}
        for run, (slots, norm) in varied.items()
    }
    runs = pd.DataFrame({"run": list("abcd"), "task": "copy", "model": "ntm", "seed": 0})
    runs["setting"] = list("abcd")
    named = with_groups(runs, settings).set_index("run")["label"]
    assert named[list("abcd")].to_list() == [
        "ntm",
        "ntm (memory_slots=64)",
        "ntm (memory_slots=128)",
        "ntm (train.clip_norm=10.0)",
    ]
    two = with_groups(runs.iloc[1:3], settings)["label"]
    assert sorted(two) == ["ntm (memory_slots=128)", "ntm (memory_slots=64)"]


def test_a_setting_that_a_run_lacks_does_not_look_like_the_common_value() -> None:
    tasks = {"a": {"n": 1, "x": 1}, "b": {"n": 2, "x": 1}, "c": {"n": 1}}
    settings = {
        run: {"task": {"name": "copy", **task}, "model": {"name": "ntm"}}
        for run, task in tasks.items()
    }
    runs = pd.DataFrame({"run": list("abc"), "task": "copy", "model": "ntm", "seed": 0})
    runs["setting"] = runs["run"]
    assert with_groups(runs, settings)["section"].nunique() == 3


def test_settings_that_look_alike_are_never_merged() -> None:
    settings = {
        run: {"task": {"name": "copy"}, "model": {"name": "ntm", "x": value}}
        for run, value in (("a", 1), ("b", "1"))
    }
    runs = pd.DataFrame(
        {"run": ["a", "b"], "task": "copy", "model": "ntm", "setting": ["A", "B"], "seed": 0}
    )
    assert with_groups(runs, settings)["label"].to_list() == ["ntm [A]", "ntm [B]"]


def test_the_levels_of_fair_bits_are_perfect_and_half() -> None:
    levels = validation_levels(make_task("copy", min_length=5, max_length=5), 640)
    assert levels.solvable
    # An oracle's certainty is kept at a finite logit, which costs that much.
    assert 0 <= levels.optimum.loss_bits < 1e-6
    assert levels.chance.errors == pytest.approx(20, rel=0.05)
    assert levels.chance.loss_bits == pytest.approx(40, rel=0.01)


def test_ngrams_has_an_optimum_above_zero_and_below_chance() -> None:
    levels = length_levels(make_task("ngrams"), 200, 64)
    assert not levels.solvable
    # Beta(1/2, 1/2) tables leave about 128 of 195 bits open; 64 sequences are 4.5 bits uncertain.
    assert levels.optimum.loss_bits == pytest.approx(128, abs=15)
    assert levels.chance.loss_bits == pytest.approx(195, abs=1)


def test_levels_are_means_over_sequences_whatever_the_batches() -> None:
    task: Task = make_task("ngrams", min_length=20, max_length=20)
    whole = task.test_set(20, 10)
    parts = data_levels(task, [whole[:3], whole[3:]])
    together = data_levels(task, [whole])
    assert parts.optimum.loss_bits == pytest.approx(together.optimum.loss_bits)
    assert parts.chance.errors == pytest.approx(together.chance.errors)


def test_the_paper_is_compared_with_at_the_papers_sizes_only() -> None:
    assert {result.model for result in paper_results(make_task("copy"))} == {"NTM", "LSTM"}
    assert paper_results(make_task("copy", bits=4)) == ()
    assert paper_results(make_task("sorting")) == ()


def test_numbers_are_never_rounded_to_something_better() -> None:
    assert numbers.score(0) == "0"
    assert numbers.score(1e-9) == "<0.001"
    assert numbers.score(0.0123) == "0.0123"
    assert numbers.score(4.567) == "4.57"
    assert numbers.score(1234.5) == "1,234.5"
    # To three digits they are 1, 10 and 100, and are written like these.
    assert [numbers.score(value) for value in (0.9996, 9.996, 99.96)] == ["1.00", "10.0", "100.0"]
    assert [numbers.duration(value) for value in (0, 0.3, 1)] == ["0 s", "<1 s", "1 s"]
    assert numbers.score(math.inf) == "not finite"
    assert numbers.share(1) == "100%"
    assert numbers.share(0.9999) == "99.9%"
    assert (numbers.share(0), numbers.share(0.0001), numbers.share(0.001)) == (
        "0%",
        "<0.1%",
        "0.1%",
    )
    assert (numbers.upper_share(0.43449), numbers.upper_share(0.5)) == ("43.5%", "50%")
    assert numbers.sequences(INF, 50_000, unfinished=False) == "> 50,000"
    assert numbers.sequences(INF, 50_000, unfinished=True) == "not yet"
    assert numbers.sequences(8000, 50_000, unfinished=True) == "8,000"


@pytest.mark.parametrize(
    ("exact_match", "share", "expected"),
    [
        ([1, 1, 0.95, 0.5], 0.9, 50),
        ([1, 1, 0.95, 0.5], 0.99, 20),
        ([1, 0.5, 1, 1], 0.9, 10),  # what comes after a failure does not count
        ([0.5, 1, 1, 1], 0.9, 0),
        ([1, 1, 1, 1], 1, 120),
        ([1, math.nan, 1, 1], 0.9, 10),
        ([0.99 - 1e-12, 0.99, 0.98, 0], 0.99, 20),
    ],
)
def test_the_effective_length_ends_before_the_first_failure(
    exact_match: list[float], share: float, expected: int
) -> None:
    lengths = [10, 20, 50, 120]
    assert effective_length(lengths, exact_match, share) == expected
    assert effective_length(lengths[::-1], exact_match[::-1], share) == expected


def test_an_effective_length_of_nothing_is_zero() -> None:
    assert effective_length([], [], 0.9) == 0


def test_effective_lengths_of_bad_input_are_refused() -> None:
    with pytest.raises(ValueError, match="share=90"):
        effective_length([10], [1.0], 90)
    with pytest.raises(ValueError, match="zip"):
        effective_length([10, 20], [1.0], 0.9)
