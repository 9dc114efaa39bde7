"""What a recipe states of a search: checked, noted by a run, and read back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from ntmbench.errors import SettingError
from ntmbench.runs.folder import RunFolder
from ntmbench.runs.results import load_results
from ntmbench.runs.search_record import search_records
from tests.conftest import TINY, Ended
from tests.fabricated import SEARCH, fabricate


def test_a_record_is_read_as_it_was_written() -> None:
    (record,) = search_records({"grid": SEARCH}).values()
    assert record.plain() == SEARCH


def test_a_setting_rests_on_a_search_while_it_has_the_value_found() -> None:
    found = {"train.learning_rate": 0.01, "model.layers": 2, "train.nothing": None, "other": 1}
    (record,) = search_records({"grid": {**SEARCH, "found": found}}).values()
    settings = {"train": {"learning_rate": 0.01}, "model": {"name": "lstm", "layers": 1}}
    assert record.held(settings) == {"train.learning_rate": 0.01}


REFUSED: list[tuple[Any, str]] = [
    (3, "searches=3 has no names. Allowed: name: value"),
    ({"grid": [1]}, "searches.grid=[1] has no names."),
    ({"grid": {**SEARCH, "trails": 5}}, "has no setting 'trails'"),
    ({"grid": {**SEARCH, "trails": 5}}, "Did you mean 'trials'?"),
    ({"grid": {"found": {}}}, "searches.grid says nothing of 'trials', which it must."),
    ({"grid": {**SEARCH, "command": 7}}, "command=7 is of type int. Allowed: str."),
    ({"grid": {**SEARCH, "trials": "many"}}, "trials='many' is of type str"),
    ({"grid": {**SEARCH, "pruned": -1}}, "searches.grid.pruned=-1 is out of range."),
    ({"grid": {**SEARCH, "sequences": 3000}}, "searches.grid.sequences=3000 has no names."),
    ({"grid": {**SEARCH, "sequences": {"copy": 0}}}, "searches.grid.sequences.copy=0 is out of"),
    ({"grid": {**SEARCH, "seeds": 101}}, "searches.grid.seeds=101 is no list."),
    ({"grid": {**SEARCH, "seeds": [0.5]}}, "searches.grid.seeds=0.5 is not a whole number."),
    ({"grid": {**SEARCH, "found": "more"}}, "searches.grid.found='more' has no names."),
]


@pytest.mark.parametrize(("values", "told"), REFUSED)
def test_a_wrong_statement_is_refused_in_one_line(values: Any, told: str) -> None:
    with pytest.raises(SettingError) as refused:
        search_records(values)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.usefixtures("undrawn")
def test_a_run_notes_what_its_recipe_states(ntmbench: Callable[..., Ended]) -> None:
    assert ntmbench("task=copy", *TINY).code == 0
    assert ntmbench("task=copy", *TINY, "seed=1", "train.learning_rate=3e-4").code == 0
    results = load_results("results")
    runs = results.runs.sort_values("seed")
    assert runs["searches"].fillna("none").to_list() == ["learning_rates/lstm", "none"]
    assert runs["search_trials"].to_list() == [5, 0]
    ((name, record),) = results.searches[runs["run"].iloc[0]].items()
    assert (name, record.found) == ("learning_rates/lstm", {"train.learning_rate": 0.01})
    assert set(results.searches) == {runs["run"].iloc[0]}
    for folder in map(RunFolder, map(Path, runs["folder"])):  # told all the same
        assert folder.read_status()["searches"] == {name: record.plain()}
        assert OmegaConf.load(folder.config).searches[name] == record.plain()


def test_a_run_whose_note_cannot_be_read_is_unreadable(tmp_path: Path) -> None:
    folder = fabricate(tmp_path, model="lstm", searches={"grid": {"trials": 5}})
    results = load_results(tmp_path)
    assert results.runs.empty
    assert "searches.grid says nothing of 'sequences'" in results.unreadable[str(folder.path)]
