"""Many CSV files parsed together: the same as one by one, and what is wrong is said of its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ntmbench.runs import parsing
from ntmbench.runs.folder import RunError
from ntmbench.runs.parsing import Csv, parse_table, parse_tables

COLUMNS = ["step", "errors"]


def files_of(contents: list[bytes | None]) -> list[Csv | None]:
    return [
        None if content is None else Csv(Path(f"{place}.csv"), content)
        for place, content in enumerate(contents)
    ]


def whole(seed: int) -> bytes:
    random = np.random.default_rng(seed)
    header = b"step,wrong_bits" if seed % 3 == 0 else b"step,errors"
    if seed % 5 == 0:
        header += b",later"
    columns = header.count(b",")
    rows = [
        ",".join([str(step), *(repr(float(number)) for number in random.normal(size=columns))])
        for step in range(int(random.integers(1, 5)))
    ]
    return header + b"\n" + "".join(f"{row}\n" for row in rows).encode()


def test_many_are_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    contents: list[bytes | None] = [whole(seed) for seed in range(60)]
    contents[7] = contents[20] = None
    contents[8] = b'step,errors\n1,"2.5"\n'
    contents[9] = b"step,errors\r\n1,2\r\n"
    contents[10] = b"errors,step\n0.5,7\n0.25,\n"
    files = files_of(contents)
    alone = [parse_table(file, COLUMNS) for file in files if file is not None]
    calls = []
    parsed = parsing._parsed

    def counted(content: bytes) -> pd.DataFrame:
        calls.append(content)
        return parsed(content)

    monkeypatch.setattr(parsing, "_parsed", counted)
    stack, faults = parse_tables(files, COLUMNS)
    assert not faults
    pd.testing.assert_frame_equal(stack.table, pd.concat(alone, ignore_index=True))
    assert [rows for rows in stack.rows if rows] == [len(table) for table in alone]
    assert (stack.rows[7], stack.rows[20]) == (0, 0)
    assert len(calls) == 4 + 3  # the headers, and the files that are not plain


DAMAGED = {
    b"step,errors\n1,2\n3,x\n": "holds what is no number in column errors",
    b"step,errors\n1,2\n3\n": "has a row that is not whole",
    b"step,errors\n1,2,3\n4\n": "has a row that is not whole",
    b"step,errors\n1,2\n3,0.1": "has a row that is not whole",
    b"step,errors\n": "has no rows",
    b"step,error\n1,2\n": "has no column errors",
    b"": "is not a table",
    b"step,errors\n1,\xff\n": "is not a table",
    b"\xff\xfe\0": "is not a table",
}


@pytest.mark.parametrize(("content", "told"), DAMAGED.items())
def test_a_damaged_file_among_many_is_named(content: bytes, told: str) -> None:
    contents: list[bytes | None] = [whole(seed) for seed in range(40)]
    expected, _ = parse_tables(files_of([*contents[:17], None, *contents[18:]]), COLUMNS)
    contents[17] = content
    stack, faults = parse_tables(files_of(contents), COLUMNS)
    (reason,) = faults.values()
    assert list(faults) == [17]
    assert reason.startswith(f"17.csv {told}")
    assert "\n" not in reason
    pd.testing.assert_frame_equal(stack.table, expected.table)
    assert list(stack.rows) == list(expected.rows)
    with pytest.raises(RunError, match=r"^x\.csv "):
        parse_table(Csv(Path("x.csv"), content), COLUMNS)


def test_no_file_at_all() -> None:
    stack, faults = parse_tables([None, None], COLUMNS)
    assert (list(stack.table.columns), len(stack.table), list(stack.rows)) == (COLUMNS, 0, [0, 0])
    assert not faults
