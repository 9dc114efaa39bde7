"""What the runs were made with: code, versions, devices and time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from ntmbench.report.study.once import once
from ntmbench.report.study.study import Study

UNKNOWN = "not recorded"
#: Ends a commit whose source was changed.
CHANGED = "+"
#: Between the commits of a run that another version went on with.
THEN = ", then "


@dataclass(frozen=True)
class Provenance:
    """Where numbers come from.

    Attributes:
        table: a row per commit, set of versions and device: ``runs``, their sections and the
            seconds that they took, summed.
        commits: how many different ones there are. A run that several worked on counts for each of
            them, a commit with changed source as that commit, and those not recorded as one.
        changed: how many runs come from source that is not quite that of their commit.
        versions: how many sets of versions there are, likewise.
        mixed: sections whose runs do not all come from one commit and one set of versions.
        wall_seconds: of all runs, summed.
        first: when the first run started, as recorded; empty if unknown.
        last: when the last one ended; empty if unknown.
    """

    table: pd.DataFrame
    commits: int
    changed: int
    versions: int
    mixed: tuple[str, ...]
    wall_seconds: float
    first: str
    last: str


@once
def provenance(study: Study) -> Provenance:
    """Collect what the runs were made with."""
    made = ["commit", "versions", "device"]
    runs = study.runs.assign(
        **{name: study.runs[name].fillna(UNKNOWN).astype(str) for name in made}
    )
    rows = [
        {
            "commit": commit,
            "versions": versions,
            "device": device,
            "runs": len(members),
            "sections": "; ".join(sorted(set(members["section"]))),
            "wall_seconds": members["wall_seconds"].sum(),
        }
        for (commit, versions, device), members in runs.groupby(made)
    ]
    mixed = [
        str(section)
        for section, members in runs.groupby("section", sort=False)
        if len(_commits(members["commit"])) > 1 or members["versions"].nunique() > 1
    ]
    return Provenance(
        table=pd.DataFrame(rows, columns=[*made, "runs", "sections", "wall_seconds"]).sort_values(
            "runs", ascending=False, ignore_index=True
        ),
        commits=len(_commits(runs["commit"])),
        changed=int(runs["commit"].str.contains(CHANGED, regex=False).sum()),
        versions=runs["versions"].nunique(),
        mixed=tuple(mixed),
        wall_seconds=float(runs["wall_seconds"].sum()),
        first=min(runs["started"].dropna().astype(str), default=""),
        last=max(runs["ended"].dropna().astype(str), default=""),
    )


def _commits(recorded: Iterable[str]) -> set[str]:
    """The different commits in a column of them, of which an entry may list several."""
    return {commit.removesuffix(CHANGED) for entry in recorded for commit in entry.split(THEN)}
