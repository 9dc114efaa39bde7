"""A file of a results folder is cut, zeroed in part, or has a bit flipped.

Whatever reads it names it in one line: the command, ``load_results``, ``load_run``, ``watch``, the
archive and the report. Or it shows what it showed before. A run that was interrupted may also end
with the numbers that it would have had. Nothing reads back log and pictures.
"""

from __future__ import annotations

import contextlib
import io
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd

from ntmbench.commands import archive, watch
from ntmbench.errors import UserError
from ntmbench.report.__main__ import write
from ntmbench.runs.folder import RunFolder
from ntmbench.runs.loading import load_run
from ntmbench.runs.results import load_results
from ntmbench.training.checkpoint import digest_of
from ntmbench.training.observer import Observers
from tests.faults.campaign import Campaign, Counted, Fault
from tests.faults.small_runs import (
    differing,
    empty_folder,
    in_one_line,
    ntmbench,
    numbers,
    only_run,
    shown,
    small_run,
)

FINISHED = ("task=repeat_copy", *small_run("ntm"), "task.max_repeats=3")
INTERRUPTED = (*small_run("lstm"), "train.validate_every=8")
#: Trials of which one makes a report, which takes longest.
REPORTED = 10


@dataclass(frozen=True)
class Damage:
    """A file and what was done to it."""

    file: str
    what: str

    def __str__(self) -> str:
        """As it is told."""
        return f"{self.file} {self.what}"


def damaged(content: bytes, draw: random.Random) -> tuple[bytes, str]:
    """The content cut, zeroed in part or with a bit flipped, and how."""
    place = draw.randrange(len(content))
    kind = draw.choice(["cut", "zeroed", "flipped"])
    if kind == "cut":
        return content[:place], f"cut to {place} bytes"
    if kind == "zeroed":
        size = min(draw.choice([1, 16, 4096]), len(content) - place)
        return content[:place] + bytes(size) + content[place + size :], (
            f"with {size} bytes zeroed at {place}"
        )
    bit = draw.randrange(8)
    flipped = bytearray(content)
    flipped[place] ^= 1 << bit
    return bytes(flipped), f"with bit {bit} of byte {place} flipped"


def campaign(number: int, seed: int) -> Counted:
    """Damage so many files, drawn at random."""
    told: Counter[str] = Counter()
    faults: list[Fault] = []
    with empty_folder() as folder:
        results = folder / "results"
        expected = _prepared(results)
        before = _shown(results, reported=True)
        files = sorted(
            path for path in results.rglob("*") if path.is_file() and path.stat().st_size
        )
        kept = folder / "kept"
        shutil.copytree(results, kept)
        for trial in range(number):
            draw = random.Random(f"{seed}-{trial}")
            path = files[trial % len(files)] if number >= len(files) else draw.choice(files)
            content, what = damaged(path.read_bytes(), draw)
            path.write_bytes(content)
            damage = Damage(str(path.relative_to(folder)), what)
            how, wrong = _seen(results, path, before, reported=trial % REPORTED == 0)
            wrong = wrong or _gone_on(results, path, expected)
            told[how] += 1
            if wrong:
                faults.append(Fault(f"{damage}, seed {seed}-{trial}", wrong))
            shutil.rmtree(results)
            shutil.copytree(kept, results)
    counts = ", ".join(f"{count} {how}" for how, count in sorted(told.items()))
    return Counted(f"{number} damages of {len(files)} files: {counts}.", faults)


def _prepared(results: Path) -> dict[str, dict[str, Any]]:
    """A finished run, one interrupted in training, one in its drawing, a sweep and an archive.

    Returns the numbers with which the runs end, by the seed of each.
    """
    ends: dict[str, dict[str, Any]] = {}
    for seed in ("1", "2"):
        assert ntmbench(*INTERRUPTED, f"seed={seed}", f"results_dir=whole{seed}").code == 0
        ends[seed] = numbers(only_run(results.parent / f"whole{seed}"))
    assert ntmbench(*FINISHED).code == 0
    ends["0"] = numbers(only_run(results))

    def stop(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    stepped = Observers.stepped

    def stop_late(self: Observers, sequences: int, loss_bits: Callable[[], float]) -> None:
        stepped(self, sequences, loss_bits)
        if sequences == 20:
            stop()

    with mock.patch.object(Observers, "stepped", stop_late):
        assert ntmbench(*INTERRUPTED, "seed=1").code == 130
    with mock.patch.object(Observers, "tested", stop):
        assert ntmbench(*INTERRUPTED, "seed=2").code == 130
    sweep = ntmbench("-m", *FINISHED, "seed=0")
    assert sweep.code == 0, sweep
    archive.pack(results, results / "runs.zip")
    return ends


def _shown(results: Path, *, reported: bool) -> dict[str, Any]:
    """What everything that reads the results shows of them, in lines, or says of them."""
    found: dict[str, Any] = {}
    for name, look in {
        "load_results": _results,
        "of the archive": lambda folder: _results(folder / "runs.zip"),
        "packed": _packed,
        "watch": _watched,
    }.items():
        try:
            found[name] = look(results)
        except UserError as error:
            found[name] = f"refused: {error}"
    for path in sorted((results / "runs").iterdir()):
        try:
            found[f"load_run {path.name}"] = digest_of(load_run(path)[1].state_dict())
        except UserError as error:
            found[f"load_run {path.name}"] = f"refused: {error}"
    again = ntmbench(*FINISHED)
    found["command"] = again.out if again.code == 0 else f"refused: {again.err}"
    if again.code != 0 and not in_one_line(again):
        found["command"] = f"not in one line: {again}"
    if reported:
        try:
            write(results)
            report = (results / "report" / "report.md").read_text().replace("\\_", "_")
            found["report"] = report
        except UserError as error:
            found["report"] = f"refused: {error}"
    return found


def _results(results: Path) -> dict[str, Any]:
    """The tables, by run, and what is unreadable."""
    loaded = load_results(results)
    tables = {
        name: _lines(getattr(loaded, name))
        for name in ("runs", "metrics", "evaluation", "positions", "variations")
    }
    examples = {}
    for name, example in loaded.examples.items():
        try:
            examples[name] = example.read()
        except UserError as error:
            examples[name] = str(error).encode()
    return {"unreadable": loaded.unreadable, "examples": examples, **tables}


def _lines(table: pd.DataFrame) -> list[str]:
    """The rows; whole numbers look alike whether or not another run has a gap among them."""
    numeric = table.select_dtypes("number").columns
    return table.astype(dict.fromkeys(numeric, float)).to_csv(index=False).splitlines()


def _packed(results: Path) -> dict[str, Any]:
    target = results.parent / "packed.zip"
    archive.pack(results / "runs", target)
    return _results(target)


def _watched(results: Path) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), mock.patch.dict("os.environ", {"COLUMNS": "1000"}):
        assert watch.main([str(results), "--once"]) == 0
    return out.getvalue()


def _seen(results: Path, path: Path, before: dict[str, Any], *, reported: bool) -> tuple[str, str]:
    """How the damage was seen, and what is wrong: shown otherwise, without the file's name."""
    now = _shown(results, reported=reported)
    named = 0
    for look, found in now.items():
        if found == before[look]:
            continue
        news = _news(found, before[look])
        if f"{path.parent.name}/{path.name}" not in news:
            return (
                "shown otherwise",
                f"{look} is new without naming the file:\n{news[:2000]}",
            )
        if isinstance(found, dict) and (wrong := _wrong_rows(found, before[look])):
            return "shown otherwise", f"{look} shows what was not there, or less: {wrong}"
        if news.startswith("not in one line"):
            return "told badly", news
        named += 1
    return ("named" if named else "of no effect"), ""


def _news(found: Any, before: Any) -> str:
    """The lines that are shown now and were not before, without the rows of tables."""
    return "\n".join(sorted(_told(found) - _told(before)))


def _told(found: Any) -> set[str]:
    if not isinstance(found, dict):
        return set(str(found).splitlines())
    unreadable = {f"{folder}: {reason}" for folder, reason in found["unreadable"].items()}
    return unreadable | {content.decode(errors="replace") for content in found["examples"].values()}


def _wrong_rows(found: dict[str, Any], before: dict[str, Any]) -> str:
    """A row that was not there before, or is missing without a word of its run; else empty."""
    for name in ("runs", "metrics", "evaluation", "positions", "variations"):
        if new := set(found[name]) - set(before[name]):
            return f"{name}: {sorted(new)[0]}"
        for row in sorted(set(before[name]) - set(found[name])):
            if not any(row.split(",")[0] in folder for folder in found["unreadable"]):
                return f"{name} lacks {row}"
    for name, content in found["examples"].items():
        if content != before["examples"].get(name) and b"example.npz" not in content:
            return f"the example of {name}"
    return ""


def _gone_on(results: Path, path: Path, expected: dict[str, dict[str, Any]]) -> str:
    """What is wrong after the command of the run that a file belongs to."""
    name = path.relative_to(results).parts
    if name[0] != "runs":
        return ""
    seed = name[1].split("-s")[-1][0]
    if seed == "0":
        return ""
    arguments = (*INTERRUPTED, f"seed={seed}")
    ended = ntmbench(*arguments)
    if ended.code != 0:
        if in_one_line(ended) and path.name in ended.err:
            return ""
        return f"{shown(arguments)} does not name it in a line: {ended}"
    (folder,) = (results / "runs").glob(f"*-s{seed}-*")
    if different := differing(numbers(RunFolder(folder)), expected[seed]):
        return f"{shown(arguments)} ends otherwise: {different}"
    if unreadable := load_results(results / "runs").unreadable:
        return f"{shown(arguments)} leaves what cannot be read: {unreadable}"
    return ""


CAMPAIGN = Campaign(campaign, short=0, slow=20, whole=1000)
