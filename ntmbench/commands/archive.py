"""``python -m ntmbench.archive [results_dir] [file]``: the runs of a results folder in one file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ntmbench.errors import UserError
from ntmbench.runs.archive import NAME, write_archive
from ntmbench.runs.results import load_stored


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the archive and say what is in it; the exit code is 2 for what the user can mend."""
    parser = argparse.ArgumentParser(
        prog="python -m ntmbench.archive",
        description="Pack the settings, tables and examples of all runs in a results folder into "
        "one file. load_results and python -m ntmbench.report read it, or a folder that holds "
        f"it as {NAME}, as they read the runs. Weights, logs and pictures are left out.",
    )
    parser.add_argument(
        "results_dir", nargs="?", type=Path, default=Path("results"), help="default: %(default)s"
    )
    parser.add_argument("file", nargs="?", type=Path, help=f"default: {NAME} in results_dir")
    given = parser.parse_args(arguments)
    folder: Path = given.results_dir
    target: Path = given.file or folder / NAME
    try:
        print(pack(folder, target))
    except UserError as error:
        print(f"ntmbench: {error}", file=sys.stderr)
        return 2
    return 0


def pack(source: Path, target: Path) -> str:
    """Write the archive of what is in ``source`` and say what it holds.

    Raises:
        UserError: if there is nothing to pack, or if something cannot be read or written.
    """
    if target.suffix != Path(NAME).suffix:
        raise UserError(f"{target} would not be read as an archive. Allowed: a name in .zip.")
    try:
        stored = load_stored(source)
        if not stored.runs:
            raise UserError(f"There are no runs under {source}, so there is nothing to pack.")
        write_archive(stored, target)
    except OSError as error:
        raise UserError(f"{source} cannot be packed: {error}") from error
    states = [str(run.status["state"]) for run in stored.runs]
    told = ", ".join(f"{states.count(state):,} {state}" for state in dict.fromkeys(states))
    if stored.unreadable:
        told += f", {len(stored.unreadable):,} unreadable and only named"
    runs = "1 run" if len(states) == 1 else f"{len(states):,} runs"
    return f"{runs} ({told}), {target.stat().st_size / 1e6:.1f} MB\n{target}"
