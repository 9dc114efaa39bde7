"""JSON files that tell whether they are as they were written."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from ntmbench.data.records import DIGEST, RecordError, read_record, write_record

VALUES = {"state": "finished", "score": 0.1 + 0.2, "none": None, "ä": [1, math.inf, {"b": "\n"}]}


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_record(tmp_path / "x.json", VALUES)
    assert read_record(tmp_path / "x.json") == VALUES


def test_a_flipped_bit_anywhere(tmp_path: Path) -> None:
    """A flipped bit is found out, or it is in the key of the digest, where it changes no value."""
    path = tmp_path / "x.json"
    write_record(path, VALUES)
    content = path.read_bytes()
    told = 0
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        try:
            found = read_record(path)
        except RecordError as error:
            told += str(error).startswith(f"{path} ") and "\n" not in str(error)
        else:
            told += {key: found.get(key) for key in VALUES} == VALUES
    assert told == len(content)


def test_one_of_an_earlier_version_has_no_digest(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"state": "finished"}))
    assert read_record(path) == {"state": "finished"}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", b'{"digest": 3}', b"[" * 200_000])
def test_what_is_no_record_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(RecordError, match=str(path)):
        read_record(path)


def test_the_digest_is_in_the_file(tmp_path: Path) -> None:
    write_record(tmp_path / "x.json", VALUES)
    assert len(json.loads((tmp_path / "x.json").read_text())[DIGEST]) == 64
