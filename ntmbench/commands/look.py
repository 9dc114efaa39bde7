"""``python -m ntmbench.look run_folder [length=..] [sequences=..]``: a look into a run's model."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from ntmbench.errors import SettingError, UserError, check_known
from ntmbench.evaluation.look.looking import Look, look_into
from ntmbench.plotting.wording import errors as errors_of
from ntmbench.runs.folder import RunFolder
from ntmbench.runs.loading import load_run

#: What can be set, and what an allowed value looks like.
SETTINGS = {"length": "20 or 20,40", "sequences": "256"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables and draw the picture; the exit code is 2 for what the user can mend."""
    parser = argparse.ArgumentParser(
        prog="python -m ntmbench.look",
        description="Look into the trained model of a run, on validation data: print its errors "
        "against position, gap and duplicates and how the heads of its memory were used, and draw "
        "both as plots/look.png in the run's folder.",
    )
    parser.add_argument("run_folder", type=Path, help="results/runs/<task>-<model>-s<seed>-<hash>")
    parser.add_argument(
        "settings",
        nargs="*",
        metavar="length=.. sequences=..",
        help="one or more lengths, as length=20,40, and the number of sequences of each; by "
        "default as after training",
    )
    given = parser.parse_args(arguments)
    try:
        look_at_run(given.run_folder, given.settings, Console())
    except UserError as error:
        print(f"ntmbench: {error}", file=sys.stderr)
        return 2
    return 0


def look_at_run(path: Path, settings: Sequence[str], console: Console) -> None:
    """Look into the run in a folder, print what is found, and draw it.

    Raises:
        UserError: if the settings are not such, or the run cannot be loaded or drawn.
    """
    values = _values(settings)
    task, model = load_run(path)
    look = look_into(
        model,
        task,
        lengths=values.get("length"),
        sequences=values["sequences"][0] if "sequences" in values else None,
    )
    # Drawing takes a second to import, which a refusal need not wait for.
    from ntmbench.runs.pictures import picture_look

    for table in (*errors_tables(look, task.answer.unit), *heads_tables(look)):
        console.print(table)
    try:
        picture = picture_look(RunFolder(path), task, look)
    except OSError as error:
        raise UserError(f"The picture cannot be written to {path}: {error.strerror}.") from error
    console.print(str(picture), highlight=False, soft_wrap=True)


def _values(settings: Sequence[str]) -> dict[str, list[int]]:
    """``["length=20,40"]`` as numbers by name."""
    values: dict[str, list[int]] = {}
    for setting in settings:
        name, _, text = setting.partition("=")
        check_known("A look", name, list(SETTINGS))
        try:
            values[name] = [int(part) for part in text.split(",")]
        except ValueError:
            raise SettingError(
                f"{setting} is no whole number. Allowed: {name}={SETTINGS[name]}."
            ) from None
        if name == "sequences" and len(values[name]) > 1:
            raise SettingError(f"{setting} are several numbers. Allowed: {name}={SETTINGS[name]}.")
        if len(set(values[name])) < len(values[name]):
            raise SettingError(f"{setting} has a number twice. Allowed: each once.")
    return values


def errors_tables(look: Look, unit: str) -> list[Table]:
    """A table of errors against position, one against gap and one against duplicates."""
    tables = []
    for against, rows in look.errors.groupby("against", sort=False):
        table = Table(title=f"Errors against {against}", title_justify="left")
        for heading in ("length", str(against), "answers", f"{errors_of(unit)}", "not right"):
            table.add_column(heading, justify="right")
        for row in rows.to_dict("records"):
            table.add_row(
                f"{row['length']}",
                _bin_text(str(against), row["low"], row["high"]),
                f"{row['answers']:,}",
                f"{row['errors']:.3f}",
                f"{row['wrong']:.1%}",
            )
        tables.append(table)
    return tables


def _bin_text(against: str, low: float, high: float) -> str:
    if against == "gap":
        return f"over {low:g} to {high:g}"
    first = 1 if against == "position" else 0  # steps are counted from 1
    ends = f"{low + first:g}", f"{high + first:g}"
    return ends[0] if low == high else " to ".join(ends)


def heads_tables(look: Look) -> list[Table]:
    """A table for each length; none for a model whose trace has no heads."""
    return [
        _heads_of_length(int(rows["length"].iloc[0]), rows)
        for _, rows in look.heads.groupby("length")
    ]


def _heads_of_length(length: int, rows: pd.DataFrame) -> Table:
    title = f"Use of the heads, length {length}"
    table = Table(title=title, title_justify="left")
    headings = ("head", "phase", "slots used", "by number", "by step", "sharp")
    for heading in (*headings, "on item", "chance"):
        table.add_column(heading, justify="right")
    for row in rows.to_dict("records"):
        table.add_row(
            f"{row['does']} {row['head']}",
            row["phase"],
            "" if pd.isna(row["slots"]) else f"{row['slots_in_use']:.1f}/{row['slots']:.0f}",
            *(
                "" if pd.isna(row[name]) else f"{row[name]:.1%}"
                for name in ("by_key", "by_position", "sharpness", "on_item", "on_any_item")
            ),
        )
    return table
