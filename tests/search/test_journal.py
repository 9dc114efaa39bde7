"""The journal of a search: whole after a kill, and no damage in it is taken for what happened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("optuna", reason="needs the extra 'search'")

from optuna.storages.journal import JournalFileBackend

from ntmbench.data.records import DIGEST, RecordError
from ntmbench.search.journal import Journal

LOGS: list[dict[str, Any]] = [{"op_code": n, "values": [0.1 * n], "name": "ä"} for n in range(4)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Journal(tmp_path / "journal.log").append_logs(LOGS)
    return tmp_path / "journal.log"


def test_it_is_read_from_a_number_on_while_others_write(path: Path) -> None:
    journal = Journal(path)
    assert list(journal.read_logs(0)) == LOGS
    Journal(path).append_logs(LOGS[:2])
    assert list(journal.read_logs(3)) == [LOGS[3], *LOGS[:2]]
    assert list(journal.read_logs(6)) == []


def test_one_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert list(Journal(tmp_path / "journal.log").read_logs(0)) == []


def test_a_line_that_was_cut_is_left_out_and_removed(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])
    journal = Journal(path)
    assert list(journal.read_logs(0)) == LOGS[:3]
    journal.append_logs(LOGS)
    assert list(journal.read_logs(0)) == LOGS[:3] + LOGS
    assert list(Journal(path).read_logs(5)) == LOGS[2:]


def test_a_flipped_digit_is_named(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"[0.2]", b"[0.3]"))
    with pytest.raises(RecordError, match=f"Line 3 of {path} is damaged"):
        list(Journal(path).read_logs(0))


def test_optuna_reads_it_and_it_reads_optunas(path: Path, tmp_path: Path) -> None:
    read = list(JournalFileBackend(str(path)).read_logs(0))
    assert [{key: log[key] for key in log if key != DIGEST} for log in read] == LOGS
    JournalFileBackend(str(tmp_path / "other.log")).append_logs(LOGS)
    assert list(Journal(tmp_path / "other.log").read_logs(0)) == LOGS
