"""Many runs in one file: the same tables and the same report, or one line that names the file."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ntmbench import load_results
from ntmbench.commands.archive import main
from ntmbench.errors import UserError
from ntmbench.plotting.example import read_example
from ntmbench.report.__main__ import main as report
from ntmbench.runs.archive import DIGEST, NAME
from ntmbench.runs.folder import RunFolder
from ntmbench.runs.results import TABLES, Results
from tests.fabricated import SEARCH, fabricate, make_old


def fabricate_some(results: Path) -> list[RunFolder]:
    """Runs that ended in every way, with every table, also of an earlier version."""
    whole: dict[str, Any] = {
        "tested": {10: 1.0, 20: 2.5},
        "positions": {10: [0.1] * 10, 20: [0.125] * 20},
        "example": 0.1,
        "look": {"position": [0.5, 0.25], "gap": [1.0]},
        "heads": {"slots_in_use": 3.5},
    }
    folders = [fabricate(results, seed=seed, **whole) for seed in range(3)]
    folders.append(
        fabricate(
            results,
            "recall",
            "lstm",
            variations={'a, "b"': 1.0, "é": 2},
            searches={"grid": SEARCH},
            **whole,
        )
    )
    folders.append(fabricate(results, "ngrams", "lstm", state="diverged", error="No loss.\n2nd"))
    folders.append(fabricate(results, model="lstm", state="running", errors=[80, 1 / 3]))
    make_old(folders[2])
    (results / "runs" / "broken").mkdir()
    (results / "runs" / "broken" / "status.json").write_text("{")
    return folders


def assert_same(found: Results, expected: Results) -> None:
    for name in ("runs", *TABLES):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(expected, name))
    assert found.settings == expected.settings
    assert found.searches == expected.searches != {}
    assert list(found.unreadable) == list(expected.unreadable)


def packed(results: Path) -> Path:
    assert main([str(results)]) == 0
    return results / NAME


def test_an_archive_gives_the_same_tables(tmp_path: Path) -> None:
    fabricate_some(tmp_path)
    expected = load_results(tmp_path)
    assert (len(expected.runs), len(expected.unreadable)) == (6, 1)
    assert len(expected.variations) == 2
    archive = packed(tmp_path)
    assert_same(load_results(archive), expected)
    shutil.rmtree(tmp_path / "runs")
    assert_same(load_results(archive), expected)
    assert_same(load_results(tmp_path), expected)


def without_look(members: dict[str, bytes]) -> None:
    for name in list(members):
        if name.startswith(("look/", "heads/")):
            del members[name]


def test_an_archive_from_before_the_look_is_read(tmp_path: Path) -> None:
    fabricate(tmp_path, tested={20: 1.0}, look={"gap": [1.0]}, heads={"by_key": 0.5})
    expected = load_results(tmp_path)
    assert (len(expected.look), len(expected.heads)) == (1, 4)
    archive = packed(tmp_path)
    archive.write_bytes(rewritten(archive.read_bytes(), without_look))
    found = load_results(archive)
    assert (len(found.look), len(found.heads)) == (0, 0)
    assert list(found.look.columns) == list(expected.look.columns)
    pd.testing.assert_frame_equal(found.evaluation, expected.evaluation)


def test_examples_of_finished_runs_are_the_same(tmp_path: Path) -> None:
    folders = fabricate_some(tmp_path)
    examples = load_results(packed(tmp_path)).examples
    assert sorted(examples) == sorted(folder.path.name for folder in folders[:4])
    for folder in folders[:4]:
        assert examples[folder.path.name].read() == folder.example.read_bytes()
    length, example, _ = read_example(tmp_path / NAME, examples[folders[0].path.name].read())
    assert (length, example.counted) == (20, 160)


@pytest.mark.slow
def test_the_report_is_the_same_without_the_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate_some(tmp_path)
    shutil.rmtree(tmp_path / "runs" / "broken")  # why it is unreadable names its place
    monkeypatch.chdir(tmp_path)
    assert report(["."]) == 0
    before = files_of(tmp_path / "report")
    archive = packed(Path())
    assert report([str(archive)]) == 0  # the folders are there, so links are too
    assert files_of(tmp_path / "report") == before
    link = b'href="../runs/copy-ntm-s0-'
    assert link in before["index.html"]
    shutil.rmtree("runs")
    for source in (".", str(archive)):
        assert report([source]) == 0
        after = files_of(tmp_path / "report")
        assert link not in after["index.html"]
        pages = ("index.html", "report.md")
        assert {name: after[name] for name in after if name not in pages} == {
            name: before[name] for name in before if name not in pages
        }
    assert b"One example" in after["index.html"]


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_same_runs_give_the_same_bytes(tmp_path: Path) -> None:
    contents = []
    for name in ("a", "b"):
        fabricate_some(tmp_path / name)
        contents.append(packed(tmp_path / name).read_bytes())
    again = packed(tmp_path / "a").read_bytes()  # of the folders and the archive beside them
    shutil.rmtree(tmp_path / "b" / "runs")
    assert main([str(tmp_path / "b"), str(tmp_path / "c.zip")]) == 0  # of an archive alone
    assert contents[0] == contents[1] == again == (tmp_path / "c.zip").read_bytes()


def test_a_run_in_its_folder_stands_before_that_in_the_archive(tmp_path: Path) -> None:
    kept, _ = fabricate(tmp_path, seed=0), fabricate(tmp_path, seed=2)
    packed(tmp_path)
    shutil.rmtree(tmp_path / "runs")
    fabricate(tmp_path, seed=0, errors=[80, 7])
    fabricate(tmp_path, seed=1, tested={20: 0})
    results = load_results(tmp_path)
    assert results.runs["seed"].to_list() == [0, 1, 2]
    assert results.metrics["seed"].to_list() == [0] * 2 + [1] * 4 + [2] * 4
    assert results.metrics["errors"].to_list()[:2] == [80, 7]
    assert results.evaluation["seed"].to_list() == [1]
    kept.status.write_text("{")  # a damaged run is not shown as it once was
    results = load_results(tmp_path)
    assert results.runs["seed"].to_list() == [1, 2]
    assert list(results.unreadable) == [str(kept.path)]


def test_nothing_is_at_work_on_an_archived_run(tmp_path: Path) -> None:
    folder = fabricate(tmp_path, state="running")
    with folder.locked():
        archive = packed(tmp_path)
        assert load_results(tmp_path).runs["active"].to_list() == [True]
        assert load_results(archive).runs["active"].to_list() == [False]


# --- What is no archive, or no longer one. ---


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("packed")
    fabricate(folder, tested={20: 1})
    return packed(folder).read_bytes()


def flipped(content: bytes, place: int) -> bytes:
    changed = bytearray(content)
    changed[place] ^= 1 << place % 8
    return bytes(changed)


def test_every_change_is_noticed(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / NAME
    random = np.random.default_rng(0)
    damaged = [whole[:size] for size in random.integers(0, len(whole), 50)]
    damaged += [b"\0" * size + whole[size:] for size in random.integers(1, len(whole), 20)]
    damaged += [whole[:-size] + b"\0" * size for size in random.integers(1, len(whole), 20)]
    damaged += [flipped(whole, place) for place in random.integers(0, len(whole), 300)]
    damaged += [flipped(whole, len(whole) - place) for place in range(1, 120)]
    damaged += [whole + b"\0"]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(UserError) as refused:
            load_results(path)
        assert str(refused.value).startswith(f"{path} ")
        assert "\n" not in str(refused.value)


Members = dict[str, bytes]


def rewritten(content: bytes, change: Callable[[Members], None]) -> bytes:
    """An archive with other members, whose digest is right."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        members = {name: file.read(name) for name in file.namelist()}
    change(members)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, member in members.items():
            file.writestr(name, member)
        file.comment = b"0" * DIGEST
    made = packed.getvalue()[:-DIGEST]
    return made + hashlib.sha256(made).hexdigest().encode()


def of_index(change: Callable[[Any], None]) -> Callable[[Members], None]:
    def changed(members: Members) -> None:
        index = json.loads(members["runs.json"])
        change(index)
        members["runs.json"] = json.dumps(index).encode()

    return changed


class Payload:
    """Ends the test if it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.exit, ("unpickled",))


def pickled(members: Members) -> None:
    file = io.BytesIO()
    np.save(file, np.array([Payload()] * 4), allow_pickle=True)
    members["metrics/errors.npy"] = file.getvalue()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (of_index(lambda index: index.update(version=2)), "has version 2 of the format"),
        (of_index(lambda index: index["runs"][0].update(run="../x")), "names of their own"),
        (of_index(lambda index: index["runs"][0].update(run="..")), "names of their own"),
        (of_index(lambda index: index.update(runs=index["runs"] * 2)), "names of their own"),
        (of_index(lambda index: index["runs"][0].update(status=[])), "no status"),
        (of_index(lambda index: index.update(runs=[])), "do not fit the runs"),
        (lambda members: members.update({"runs.json": b"{"}), "is no archive of runs: "),
        (lambda members: members.pop("runs.json"), "is no archive of runs: "),
        (lambda members: members.pop("metrics/errors.npy"), "is no archive of runs: "),
        (lambda members: members.update({"metrics/errors.json": b"[1]"}), "do not fit the runs"),
        (pickled, "allow_pickle=False"),
    ],
)
def test_what_only_looks_like_an_archive_is_refused(
    whole: bytes, tmp_path: Path, change: Callable[[Members], None], told: str
) -> None:
    path = tmp_path / NAME
    path.write_bytes(rewritten(whole, lambda members: None))
    assert len(load_results(path).runs) == 1
    path.write_bytes(rewritten(whole, change))
    with pytest.raises(UserError) as refused:
        load_results(path)
    assert str(refused.value).startswith(f"{path} ")
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_command_refuses_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "in_the_way.zip").mkdir()
    fabricate(tmp_path / "some")
    for arguments, told in (
        (["nowhere"], "There is no results folder at"),
        (["empty"], "There are no runs under"),
        (["some", "some.tar"], "Allowed: a name in .zip"),
        (["some", "in_the_way.zip"], "cannot be packed: "),
    ):
        assert main([str(tmp_path / name) for name in arguments]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert told in err


def test_the_command_says_what_it_packed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fabricate_some(tmp_path)
    packed(tmp_path)
    told, where = capsys.readouterr().out.splitlines()
    assert told.startswith("6 runs (")
    for part in ("4 finished", "1 diverged", "1 running", "1 unreadable and only named"):
        assert part in told
    assert where == str(tmp_path / NAME)
