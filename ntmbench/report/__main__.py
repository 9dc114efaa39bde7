"""``python -m ntmbench.report [results]``: index.html, report.md, table.tex, tables, plots."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from ntmbench.errors import UserError
from ntmbench.runs.results import load_results


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the report of a results folder; the exit code is 2 for what the user can mend."""
    parser = argparse.ArgumentParser(
        prog="python -m ntmbench.report",
        description="Write an offline index.html, report.md, table.tex, tables and plots about all "
        "runs in a results folder, finished or not, into its folder report/.",
    )
    parser.add_argument(
        "results",
        nargs="?",
        type=Path,
        default=Path("results"),
        help="a results folder, or an archive of runs, whose folder gets the report; "
        "default: %(default)s",
    )
    source: Path = parser.parse_args(arguments).results
    try:
        written = write(source)
    except UserError as error:
        print(f"ntmbench: {error}", file=sys.stderr)
        return 2
    print(written)
    return 0


def write(source: Path) -> str:
    """Write the report of ``source`` and say what it is about and where it is.

    A results folder's own folder ``runs`` stands for the results folder. The report about an
    archive of runs is written beside it.

    Raises:
        UserError: if there is nothing to report, or if it cannot be read or written.
    """
    try:
        source = _results_folder(source)
        results = load_results(source)
    except (OSError, RuntimeError) as error:  # the latter for a link to itself
        raise UserError(f"The results in {source} cannot be read: {error}") from error
    # Drawing takes a second to import, which a refusal need not wait for.
    from ntmbench.report.build import build_report, write_report

    folder = source if source.is_dir() else source.parent
    report = build_report(results, folder)
    index = write_report(report, folder / "report")
    unreadable = f" {len(results.unreadable)} unreadable." if results.unreadable else ""
    return f"{report.page.headline}{unreadable}\n{index}"


def _results_folder(source: Path) -> Path:
    """The folder above ``source`` where that is a results folder's ``runs``."""
    whole = source.resolve()
    if whole.name != "runs" or not whole.is_dir() or (whole / "runs").is_dir():
        return source
    return source.parent if source.name == "runs" else whole.parent


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `--help | head` ends as any Unix tool does
    sys.exit(main())
