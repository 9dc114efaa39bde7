"""The page of the search for learning rates shows what its table holds."""

from __future__ import annotations

import pandas as pd

from ntmbench.report.page.numbers import upper_share
from tests.house.test_readme import REFERENCE, table

RATES = REFERENCE / "rates"


def test_the_table_of_rates_is_the_reports() -> None:
    compared = pd.read_csv(RATES / "report/tables/settings_compared.csv")
    rows = compared.drop_duplicates(["model", "value"])
    (_, *rates), *told = table(RATES / "README.md", "| model |")
    shown = {}
    for model, of_model in rows.groupby("model", sort=False):
        assert [float(rate) for rate in rates] == list(of_model["value"])
        cells = [upper_share(share).removesuffix("%") for share in of_model["mean_share"]]
        best = list(of_model["best"])
        shown[f"`{model}`"] = [
            f"**{cell}**" if it_is else cell for cell, it_is in zip(cells, best, strict=True)
        ]
    assert {model: cells for model, *cells in told} == shown
