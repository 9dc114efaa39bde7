"""Trials whose process was killed: their values are tried again, and only once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("optuna", reason="needs the extra 'search'")

from optuna.trial import FrozenTrial, TrialState

from ntmbench.search.arguments import Search, search_from
from ntmbench.search.space import suggested
from ntmbench.search.study import TODAY, SharedStudy
from tests.search.searching import SEARCH


class Killed(BaseException):
    """The end of a process."""


@pytest.fixture
def search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Search:
    monkeypatch.chdir(tmp_path)
    return search_from([*SEARCH, "search.trials=2"])


def waiting(study: SharedStudy) -> list[dict[str, Any]]:
    """The values that wait to be tried, by trial."""
    waits = [trial for trial in study.trials() if trial.state == TrialState.WAITING]
    return [trial.system_attrs["fixed_params"] for trial in waits]


@pytest.mark.parametrize("killed_in", ["enqueue_trial", "tell"])
def test_a_kill_while_a_trial_is_given_back_loses_no_values(
    search: Search, monkeypatch: pytest.MonkeyPatch, killed_in: str
) -> None:
    def killed(*arguments: Any, **settings: Any) -> FrozenTrial:
        raise Killed

    study = SharedStudy(search)
    with study.at_work():
        trial = study.claim()
        assert trial is not None
        values = suggested(trial, search.space)
        monkeypatch.setattr(study.study, killed_in, killed)
        with pytest.raises(Killed):
            study.give_back(trial)
    later = SharedStudy(search)
    assert later.due() == 2
    assert later.due() == 2
    assert waiting(later) == [values]
    assert [trial.state for trial in later.trials()].count(TrialState.FAIL) == 1


def test_values_are_kept_if_their_trial_was_killed_before_it_read_them(search: Search) -> None:
    study = SharedStudy(search)
    first = waiting(study)
    with study.at_work():
        assert study.claim() is not None
        assert waiting(study) == []
    assert SharedStudy(search).due() == 2
    assert waiting(SharedStudy(search)) == first


def test_values_outlive_several_processes_that_are_killed(search: Search) -> None:
    first = waiting(SharedStudy(search))
    for _ in range(3):
        study = SharedStudy(search)
        with study.at_work():
            trial = study.claim()
            assert trial is not None
            assert trial.user_attrs[TODAY]
    assert SharedStudy(search).due() == 2
    assert waiting(SharedStudy(search)) == first


def test_a_trial_that_has_ended_is_not_tried_again(search: Search) -> None:
    study = SharedStudy(search)
    with study.at_work():
        trial = study.claim()
        assert trial is not None
        suggested(trial, search.space)
        study.study.tell(trial, 1.0)
        study.give_back(trial)
    assert waiting(study) == []
    assert study.due() == 1
