"""Many CSV files of one kind, parsed together.

A parser that is called once for each of 10,000 small files takes longer over its calls than over
the numbers. Files with the same header are therefore parsed as one text. A file that is not plain,
and one that the others cannot be parsed with, is parsed alone, so that what is wrong is said of the
file that it is wrong in.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ntmbench.runs.digests import REMEDY
from ntmbench.runs.folder import RunError
from ntmbench.runs.stored import Rows, Stack
from ntmbench.runs.tables import EARLIER_NAMES, TEXT_COLUMNS


@dataclass(frozen=True)
class Csv:
    """A file and its content."""

    path: Path
    content: bytes


def parse_table(file: Csv, columns: Sequence[str]) -> pd.DataFrame:
    """The columns of one file, in the form of this version or an earlier one.

    Raises:
        RunError: naming the file, if it is no such table.
    """
    try:
        lengths = {len(row) for row in csv.reader(io.StringIO(file.content.decode()))}
        table = _parsed(file.content)
    except (ValueError, csv.Error) as error:  # pandas' errors and those of UTF-8 are ValueErrors
        reason = " ".join(str(error).split())
        raise RunError(f"{file.path} is not a table: {reason}. {REMEDY}") from error
    missing = [column for column in columns if column not in table]
    if missing:
        raise RunError(f"{file.path} has no column {', '.join(missing)}. {REMEDY}")
    if table.empty:
        raise RunError(f"{file.path} has no rows. {REMEDY}")
    if len(lengths) > 1 or not file.content.endswith(b"\n"):
        raise RunError(f"{file.path} has a row that is not whole. {REMEDY}")
    if wrong := _not_numbers(table, columns):
        raise RunError(f"{file.path} holds what is no number in column {wrong[0]}. {REMEDY}")
    return table[list(columns)]


def parse_tables(
    files: Sequence[Csv | None], columns: Sequence[str]
) -> tuple[Stack, dict[int, str]]:
    """The rows of all files in their order, and why a file cannot be read, by its place.

    None stands for a run without the file. A file that cannot be read gives no rows.
    """
    by_header: dict[bytes, list[int]] = {}
    alone: list[list[int]] = []
    for place, file in enumerate(files):
        if file is None:
            continue
        header, _, body = file.content.partition(b"\n")
        if _is_plain(header, body, columns):
            by_header.setdefault(header, []).append(place)
        else:
            alone.append([place])
    rows = np.zeros(len(files), dtype=np.int64)
    faults: dict[int, str] = {}
    pieces: list[pd.DataFrame] = []
    order: list[int] = []
    waiting = [*by_header.values(), *alone]
    while waiting:
        places = waiting.pop()
        group = [file for place in places if (file := files[place]) is not None]
        if (piece := _together(group, columns) if len(group) > 1 else None) is not None:
            table, counted = piece
            rows[places] = counted
        elif len(group) > 1:
            middle = len(places) // 2
            waiting += [places[:middle], places[middle:]]
            continue
        else:
            try:
                table = parse_table(group[0], columns)
            except RunError as error:
                faults[places[0]] = str(error)
                continue
            rows[places] = len(table)
        pieces.append(table)
        order += places
    return Stack(_in_order(pieces, order, rows, columns), rows), faults


def _is_plain(header: bytes, body: bytes, columns: Sequence[str]) -> bool:
    """Whether no cell is quoted, so that commas and line ends tell where cells end."""
    try:
        names = [EARLIER_NAMES.get(name, name) for name in header.decode("ascii").split(",")]
    except UnicodeDecodeError:
        return False
    return (
        set(columns) <= set(names)
        and len(set(names)) == len(names)
        and body.endswith(b"\n")
        and not any(mark in body for mark in (b'"', b"\r", b"\0"))
    )


def _together(files: Sequence[Csv], columns: Sequence[str]) -> tuple[pd.DataFrame, Rows] | None:
    """The rows of plain files with one header, and how many each has; None if they do not parse."""
    header = files[0].content.partition(b"\n")[0]
    bodies = [file.content[len(header) + 1 :] for file in files]
    counted = np.array([body.count(b"\n") for body in bodies], dtype=np.int64)
    joined = b"".join(bodies)
    if not _is_whole(joined, header.count(b",")):
        return None
    try:
        table = _parsed(b"\n".join([header, joined]))
    except ValueError:
        return None
    if len(table) != counted.sum() or _not_numbers(table, columns):
        return None
    return table[list(columns)], counted


def _is_whole(body: bytes, commas: int) -> bool:
    """Whether each line has so many commas; pandas fills and shifts the cells of one that has not.

    The last line has an end.
    """
    letters = np.frombuffer(body, dtype=np.uint8)
    marks = letters[(letters == ord(",")) | (letters == ord("\n"))]
    if len(marks) % (commas + 1):
        return False
    row = np.array([ord(",")] * commas + [ord("\n")], dtype=np.uint8)
    return bool((marks.reshape(-1, commas + 1) == row).all())


def _parsed(content: bytes) -> pd.DataFrame:
    texts: Mapping[str, type] = dict.fromkeys(TEXT_COLUMNS, str)
    return pd.read_csv(io.BytesIO(content), dtype=texts, low_memory=False).rename(
        columns=EARLIER_NAMES
    )


def _not_numbers(table: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Those of the columns that should hold numbers and hold something else."""
    return [
        column
        for column in columns
        if column not in TEXT_COLUMNS and not pd.api.types.is_numeric_dtype(table[column])
    ]


def _in_order(
    pieces: Sequence[pd.DataFrame], order: Sequence[int], rows: Rows, columns: Sequence[str]
) -> pd.DataFrame:
    """The pieces as one table, with the rows of the files in their order."""
    filled = [piece for piece in pieces if len(piece)]
    if not filled:
        return pd.DataFrame(columns=list(columns))
    table = pd.concat(filled, ignore_index=True)
    if list(order) == sorted(order):
        return table
    places = np.repeat(np.array(order, dtype=np.int64), rows[list(order)])
    return table.take(np.argsort(places, kind="stable")).reset_index(drop=True)
