"""What TensorBoard and W&B wrote in a run's folder."""

from __future__ import annotations

import importlib
import json
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ntmbench.runs.folder import RunFolder


def tensorboard_events(run: RunFolder) -> Any:
    """TensorBoard's reader of a run's events."""
    reading = importlib.import_module("tensorboard.backend.event_processing.event_accumulator")
    events: Any = reading.EventAccumulator(str(run.path / "tensorboard"))
    events.Reload()
    return events


def wandb_rows(run: RunFolder) -> list[dict[str, Any]]:
    """The history in W&B's own file of a run that was logged offline, once.

    W&B's own process writes the file, also after the run's process has finished with it.
    """
    (offline,) = (run.path / "wandb").glob("offline-run-*")
    (written,) = offline.glob("*.wandb")
    until = time.monotonic() + 10
    while True:
        records = _records(written)
        if records and records[-1].WhichOneof("record_type") == "exit":
            break
        assert time.monotonic() < until, f"{written} has no end"
        time.sleep(0.05)
    histories = [r.history for r in records if r.WhichOneof("record_type") == "history"]
    return [
        {(item.key or "/".join(item.nested_key)): json.loads(item.value_json) for item in h.item}
        for h in histories
    ]


def _records(file: Path) -> list[Any]:
    from wandb.proto import wandb_internal_pb2

    records = []
    for data in _chunks(file.read_bytes()):
        records.append(wandb_internal_pb2.__dict__["Record"]())
        records[-1].ParseFromString(data)
    return records


def _chunks(content: bytes) -> Iterator[bytes]:
    """The records of a log in LevelDB's format: blocks of 32 KiB, the first with W&B's header."""
    block, header, place, begun = 2**15, 7, 7, b""
    while place + header <= len(content):
        if block - place % block < header:  # no room for another header in this block
            place += block - place % block
            continue
        length, kind = struct.unpack("<HB", content[place + 4 : place + header])
        begun += content[place + header : place + header + length]
        place += header + length
        if kind in (1, 4):  # whole, or the last of several parts
            yield begun
            begun = b""
