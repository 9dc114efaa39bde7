"""README's table of all models on core is that of the comparison's report."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ntmbench.report.page import numbers
from tests.house.test_readme import README, REFERENCE, table

TABLES = REFERENCE / "comparison" / "report" / "tables"
#: What stands where an encoder-decoder has no input to encode.
CANNOT = "cannot"


def lines() -> Iterator[list[str]]:
    """The header, and a row for each model: best first by the mean over the tasks it can run.

    A cell is the share of chance's errors that the median of the seeds has left, in per cent.
    """
    profile = pd.read_csv(TABLES / "profile.csv")
    shares = profile.pivot(index="label", columns="family", values="share")
    families = list(profile["family"].unique())
    states = pd.read_csv(TABLES / "runs.csv").groupby("label")["state_floats"].median()
    yield ["", "state floats", *families, "mean"]
    for label in shares.mean(axis=1).sort_values(kind="stable").index:
        found = [*shares.loc[label, families], shares.loc[label].mean()]
        cells = [CANNOT if pd.isna(share) else f"{100 * share:.0f}" for share in found]
        yield [f"`{label}`", numbers.count(states[label]), *cells]


def test_the_table_of_all_models_is_the_reports() -> None:
    expected = list(lines())
    assert table(README, "| | state floats") == expected, "\n".join(
        f"| {' | '.join(row)} |" for row in expected
    )
