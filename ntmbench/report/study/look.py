"""What the looks into the models of a group have in common, as numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from ntmbench.report.study.grouping import GROUP
from ntmbench.report.study.once import once
from ntmbench.report.study.study import Study
from ntmbench.statistics.intervals import bootstrap_interval

#: Each end of what errors are told against has so large a share of the answers, at least.
END = 0.2
BIN = ["length", "against", "low", "high"]
#: What is told of the heads, and in which phase: where they write the input and read the answer.
PHASES = {"write": "input", "read": "answer"}
MEASURES = ("slots_in_use", "by_key", "by_position", "sharpness", "on_item")


@once
def look_bins_table(study: Study) -> pd.DataFrame:
    """A row per group, length and bin of ``look.csv``: median and quartiles over its runs."""
    grouped = study.look.groupby([*GROUP, *BIN], sort=False)
    quartiles = {
        name: grouped["errors"].quantile(share)
        for name, share in (("q25", 0.25), ("median", 0.5), ("q75", 0.75))
    }
    counts = {"answers": grouped["answers"].max(), "runs": grouped.size()}
    return pd.DataFrame({**quartiles, **counts}).reset_index()


@once
def look_ends_table(study: Study) -> pd.DataFrame:
    """A row per group and what errors are told against, at the least length, that of training.

    ``first_errors`` are those of an answer at the end of few steps, small gaps or no duplicates,
    and ``last_errors`` those at the other end: interquartile means over the ``runs`` with their
    intervals. Each end has a fifth of the answers at least; ``first_to`` is its highest value, and
    ``last_from`` the other's lowest. Of duplicates the first end has none and the last has some.
    """
    columns = [*GROUP, "length", "against", "runs", "first_to", "last_from"]
    columns += [
        f"{end}_errors{part}" for end in ("first", "last") for part in ("", "_low", "_high")
    ]
    return pd.DataFrame(list(_ends(study)), columns=columns)


def _ends(study: Study) -> Iterator[dict[str, object]]:
    for (section, label), group in study.look.groupby(GROUP, sort=False):
        at_least = group[group["length"] == group["length"].min()]
        for against, rows in at_least.groupby("against", sort=False):
            bins = rows.groupby(["low", "high"], as_index=False)["answers"].max()
            first, last = _end_bins(bins, str(against))
            if first >= last:
                continue
            low, high = bins["high"].iloc[first], bins["low"].iloc[last]
            row = {
                "section": section,
                "label": label,
                "length": int(rows["length"].iloc[0]),
                "against": against,
                "runs": rows["run"].nunique(),
                "first_to": low,
                "last_from": high,
            }
            for end, chosen in (("first", rows["high"] <= low), ("last", rows["low"] >= high)):
                interval = bootstrap_interval([_means(rows[chosen])])
                row |= {
                    f"{end}_errors": interval.estimate,
                    f"{end}_errors_low": interval.low,
                    f"{end}_errors_high": interval.high,
                }
            yield row


def _end_bins(bins: pd.DataFrame, against: str) -> tuple[int, int]:
    """The last bin of the first end, and the first bin of the last end."""
    if against == "duplicates":
        return 0, 1 if len(bins) > 1 else 0
    shares = bins["answers"].to_numpy(dtype=float) / bins["answers"].sum()
    first = int(np.argmax(shares.cumsum() >= END - 1e-9))
    last = len(bins) - 1 - int(np.argmax(shares[::-1].cumsum() >= END - 1e-9))
    return first, last


def _means(rows: pd.DataFrame) -> list[float]:
    """The mean errors of an answer in some bins, of each run."""
    weighted = rows.assign(total=rows["errors"].fillna(math.inf) * rows["answers"])
    sums = weighted.groupby("run")[["total", "answers"]].sum()
    return list(sums["total"] / sums["answers"])


@once
def look_heads_table(study: Study) -> pd.DataFrame:
    """A row per group, and write or read heads: median and range over the runs of each measure.

    Write heads are told of while the input is shown, read heads in the answer, at the least length.
    Heads have no order: a run counts with the head that has the most of a measure.
    """
    rows = []
    for (section, label), group in study.heads.groupby(GROUP, sort=False):
        at_least = group[group["length"] == group["length"].min()]
        for does, phase in PHASES.items():
            of_heads = at_least[(at_least["does"] == does) & (at_least["phase"] == phase)]
            if of_heads.empty:
                continue
            most = of_heads.groupby("run")[[*MEASURES, "slots", "on_any_item"]].max()
            row = {
                "section": section,
                "label": label,
                "length": int(of_heads["length"].iloc[0]),
                "does": does,
                "heads": of_heads["head"].nunique(),
                "runs": len(most),
                "slots": most["slots"].max(),
                "on_any_item": most["on_any_item"].median(),
            }
            for measure in MEASURES:
                for part in ("median", "min", "max"):
                    row[f"{measure}_{part}"] = most[measure].agg(part)
            rows.append(row)
    columns = [*GROUP, "length", "does", "heads", "runs", "slots", "on_any_item"]
    columns += [f"{measure}_{part}" for measure in MEASURES for part in ("median", "min", "max")]
    return pd.DataFrame(rows, columns=columns)
