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
    (row,) = load_results("results").runs.to_dict("records")
    stated = RunFolder(Path(row["folder"])).read_status()["searches"]
    assert list(stated) == ["learning_rates/lstm"]
    assert OmegaConf.load(RunFolder(Path(row["folder"])).config).searches == stated


def test_the_table_of_runs_names_the_searches_that_settings_rest_on(tmp_path: Path) -> None:
    other = {**SEARCH, "trials": 50, "found": {"train.learning_rate": 3e-4}}
    for seed, stated in enumerate([{}, {"grid": SEARCH, "other": other}, {"other": other}]):
        fabricate(tmp_path, model="lstm", seed=seed, searches=stated)
    results = load_results(tmp_path)
    runs = results.runs.sort_values("seed")
    assert runs["searches"].fillna("none").to_list() == ["none", "grid", "none"]
    assert runs["search_trials"].to_list() == [0, 5, 0]
    assert results.searches == {runs["run"].iloc[1]: search_records({"grid": SEARCH})}


def test_a_run_whose_note_cannot_be_read_is_unreadable(tmp_path: Path) -> None:
    folder = fabricate(tmp_path, model="lstm", searches={"grid": {"trials": 5}})
    results = load_results(tmp_path)
    assert results.runs.empty
    assert "searches.grid says nothing of 'sequences'" in results.unreadable[str(folder.path)]
