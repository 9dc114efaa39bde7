"""The archive: one compressed file that holds what results and report need of many runs.

It is an ordinary zip file:

- ``runs.json`` has the content of every run's ``status.json``, sorted by name, and the names of
  folders that held no readable run;
- ``<table>/rows.npy`` has the number of rows of each run in a table, ``<table>/<column>.npy`` the
  numbers of all runs, one run below the other, and ``<table>/<column>.json`` the texts; archives of
  earlier versions lack the tables that runs did not have then;
- ``examples/<run>.npz`` is the answered test sequence of a finished run.

Checkpoints, logs and pictures are left out.

The comment at its end is the SHA-256 digest of all bytes before it. Nothing in the file is executed
or unpickled. The same runs give the same bytes (by one version of zlib).
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ntmbench.data.files import read_bytes, write_bytes
from ntmbench.runs.folder import RunError
from ntmbench.runs.stored import ExampleFile, Stack, Stored, StoredRun

#: The name of the archive in a results folder; the runs beside it are in ``runs``.
NAME = "runs.zip"
#: The format's version.
VERSION = 1

#: Tables that archives of this format did not have from the beginning.
LATER_TABLES = ("look", "heads")

INDEX = "runs.json"
#: Characters of a SHA-256 digest.
DIGEST = 64
#: The earliest date that a zip file can tell: those of the files would make its bytes differ.
DATE = (1980, 1, 1, 0, 0, 0)
#: Bytes of a member's header in a zip file, before its name; and where the lengths of the name and
#: of what follows it stand.
HEADER, LENGTHS = 30, slice(26, 30)
WHOLE_NUMBERS = (np.int8, np.int16, np.int32, np.int64)


def write_archive(stored: Stored, path: Path) -> None:
    """Write runs into a new archive, or in the place of an older one.

    Raises:
        OSError: if an example cannot be read or the archive cannot be written.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        index = {
            "format": "ntmbench results",
            "version": VERSION,
            "runs": [{"run": run.name, "status": run.status} for run in stored.runs],
            "unreadable": {
                Path(folder).name: reason.replace(f"{Path(folder).parent}/", "")
                for folder, reason in stored.unreadable.items()
            },
        }
        _add(file, INDEX, json.dumps(index, separators=(",", ":")).encode())
        for name, stack in stored.tables.items():
            _add(file, f"{name}/rows.npy", _array(stack.rows))
            for column in stack.table:
                values = stack.table[column]
                if pd.api.types.is_numeric_dtype(values):
                    _add(file, f"{name}/{column}.npy", _array(values.to_numpy()))
                else:
                    texts = [None if pd.isna(text) else text for text in values]
                    _add(file, f"{name}/{column}.json", json.dumps(texts).encode())
        for run in stored.runs:
            if run.example is not None and run.status["state"] == "finished":
                # Compressed already.
                _add(file, f"examples/{run.name}.npz", run.example.read(), zipfile.ZIP_STORED)
        file.comment = b"0" * DIGEST
    content = packed.getvalue()[:-DIGEST]
    write_bytes(path, content + hashlib.sha256(content).hexdigest().encode())


def read_archive(path: Path, tables: Mapping[str, Sequence[str]]) -> Stored:
    """The runs of an archive; ``tables`` are the names and columns of the tables that it must have.

    Nothing is at work on the runs of an archive. Their folders are those beside it, whether they
    are there or not.

    Raises:
        RunError: naming the file, if it cannot be read, is damaged, is no archive, or is of a later
            version.
    """
    try:
        content = read_bytes(path)
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}.") from error
    digest = hashlib.sha256(content[:-DIGEST]).hexdigest().encode()
    if digest != content[-DIGEST:]:
        raise RunError(f"{path} is no archive of runs, or damaged: its digest does not match.")
    try:
        zipped = zipfile.ZipFile(io.BytesIO(content))
        index = json.loads(zipped.read(INDEX))
        if index["version"] != VERSION:
            raise RunError(
                f"{path} has version {index['version']} of the format; this ntmbench reads "
                f"version {VERSION}."
            )
        examples = _examples(path, zipped, content)
        root = path.parent / "runs"
        runs = [
            StoredRun(root / entry["run"], entry["status"], example=examples.get(entry["run"]))
            for entry in index["runs"]
        ]
        _check_runs(runs, [entry["run"] for entry in index["runs"]])
        stacks = {name: _stack(zipped, name, tables[name], len(runs)) for name in tables}
        unreadable = {str(root / name): str(why) for name, why in index["unreadable"].items()}
    except RunError:
        raise
    except Exception as error:  # of the many kinds that zipfile, JSON and NumPy have
        reason = " ".join(f"{type(error).__name__} {error}".split())
        raise RunError(f"{path} is no archive of runs: {reason}.") from error
    return Stored(runs, stacks, unreadable)


def _check_runs(runs: list[StoredRun], recorded: list[str]) -> None:
    """Refuse names that are paths, that are there twice, or that are out of order."""
    names = [run.name for run in runs]
    if names != recorded or names != sorted(set(names)) or ".." in names:
        raise ValueError("its runs are not sorted by names of their own")
    for run in runs:
        if not isinstance(run.status, dict) or "state" not in run.status:
            raise ValueError(f"{run.name} has no status of a run")


def _examples(path: Path, zipped: zipfile.ZipFile, content: bytes) -> dict[str, ExampleFile]:
    """Where the examples lie in the archive, by the run's name."""
    found = {}
    for member in zipped.infolist():
        folder, _, name = member.filename.partition("/")
        if folder == "examples" and member.compress_type == zipfile.ZIP_STORED:
            header = content[member.header_offset : member.header_offset + HEADER][LENGTHS]
            lengths = np.frombuffer(header, dtype="<u2")
            start = member.header_offset + HEADER + int(lengths.sum())
            found[name.removesuffix(".npz")] = ExampleFile(path, start, member.file_size)
    return found


def _stack(zipped: zipfile.ZipFile, name: str, columns: Sequence[str], runs: int) -> Stack:
    held = set(zipped.namelist())
    if name in LATER_TABLES and f"{name}/rows.npy" not in held:
        return Stack(pd.DataFrame(columns=list(columns)), np.zeros(runs, dtype=np.int64))
    rows = _read_array(zipped, f"{name}/rows.npy")
    values: dict[str, Any] = {}
    for column in columns:
        if f"{name}/{column}.json" in held:
            texts = json.loads(zipped.read(f"{name}/{column}.json"))
            values[column] = pd.Series(texts)
        else:
            values[column] = _read_array(zipped, f"{name}/{column}.npy")
    sizes = {len(column) for column in values.values()}
    if len(rows) != runs or rows.min(initial=0) < 0 or sizes != {int(rows.sum())}:
        raise ValueError(f"the rows of {name} do not fit the runs")
    if not rows.sum():
        return Stack(pd.DataFrame(columns=list(columns)), rows)
    return Stack(pd.DataFrame(values, copy=False), rows)


def _add(
    file: zipfile.ZipFile, name: str, content: bytes, kind: int = zipfile.ZIP_DEFLATED
) -> None:
    member = zipfile.ZipInfo(name, DATE)
    member.create_system = 3  # the system that made it would make the bytes differ
    member.external_attr = 0o644 << 16
    file.writestr(member, content, kind)


def _array(values: NDArray[Any]) -> bytes:
    """An ``.npy`` file; whole numbers take as few bytes as they need."""
    if values.dtype == np.int64:
        least, most = values.min(initial=0), values.max(initial=0)
        fitting = (
            kind
            for kind in WHOLE_NUMBERS
            if np.iinfo(kind).min <= least and most <= np.iinfo(kind).max
        )
        values = values.astype(next(fitting))
    file = io.BytesIO()
    np.lib.format.write_array(file, values, allow_pickle=False)
    return file.getvalue()


def _read_array(zipped: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """The numbers of an ``.npy`` file.

    Raises:
        ValueError: if it does not hold a row of numbers.
    """
    values: NDArray[Any] = np.lib.format.read_array(
        io.BytesIO(zipped.read(name)), allow_pickle=False
    )
    if values.ndim != 1 or values.dtype.kind not in "biuf":
        raise ValueError(f"{name} is not a column of numbers")
    return values.astype(np.int64) if values.dtype.kind == "i" else values
