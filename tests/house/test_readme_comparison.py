"""README's comparison of all models is its report's."""

from __future__ import annotations

import math

import pandas as pd

from ntmbench.registry import model_entry
from ntmbench.report.page.numbers import count, upper_share
from tests.house.test_readme import README, REFERENCE, prose, table

TABLES = REFERENCE / "comparison" / "report" / "tables"


def rows() -> list[list[str]]:
    """The table as it must be, its header first: models in the order of README's list of them."""
    profile = pd.read_csv(TABLES / "profile.csv")
    states = pd.read_csv(TABLES / "summary.csv").groupby("label")["state_floats"]
    overall = pd.read_csv(TABLES / "overall.csv").set_index("label")["share"]
    shares = profile.pivot(index="label", columns="section", values="share")
    shares = shares[list(dict.fromkeys(profile["section"]))]  # by family, as in the report
    shares.insert(0, "all", overall)
    _, *listed = table(README, "| model | what it remembers with |")
    order = [name for cell, *_ in listed for name in cell.replace("`", "").split(", ")]
    order = [name for name in order if name in shares.index]
    assert set(order) == set(shares.index)
    least = shares.min()
    shown = [["model", "state floats", *(str(name).replace("_", " ") for name in shares)]]
    for model in order:
        few, many = (count(float(end[model])) for end in (states.min(), states.max()))
        cannot = model_entry(model).needs_input_phase
        of_model = zip(shares.loc[model], least, strict=True)
        cells = [
            "cannot" if cannot and math.isnan(value) else percent(value, best=value == lowest)
            for value, lowest in of_model
        ]
        shown.append([f"`{model}`", few if few == many else f"{few} to {many}", *cells])
    return shown


def percent(value: float, *, best: bool) -> str:
    """Per cent, rounded up, in bold where no model has less."""
    cell = upper_share(value).removesuffix("%")
    return f"**{cell}**" if best else cell


def test_the_comparison_is_the_reports() -> None:
    assert table(README, "| model | state floats |") == rows()


def test_the_runs_and_their_hours_are_the_reports() -> None:
    runs = pd.read_csv(TABLES / "runs.csv")
    told = f"{len(runs)} runs, {runs['wall_seconds'].sum() / 3600:.1f} hours"
    assert f"# and core_at_once, controls: {told}" in README.read_text(encoding="utf-8")
    page = prose(REFERENCE / "comparison" / "README.md")
    assert f"{len(runs)} of them, which took {told.partition(', ')[2]} of wall time in all" in page
