"""What training came to over time, as numbers: learning curves, and who had solved what when."""

from __future__ import annotations

import pandas as pd

from ntmbench.report.study.grouping import GROUP, groups
from ntmbench.report.study.once import once
from ntmbench.report.study.outcomes import curve_band
from ntmbench.report.study.study import Study
from ntmbench.statistics.survival import kaplan_meier


@once
def curves_table(study: Study) -> pd.DataFrame:
    """A row per group, metric and point of the learning curve: median and interquartile range."""
    outcome = study.runs.set_index("run")["outcome"]
    bands = []
    for section, label, group in groups(study.metrics):
        for column in ("errors", "loss_bits"):
            band = curve_band(group, outcome, column)
            bands.append(band.assign(section=section, label=label, metric=column))
    columns = [*GROUP, "metric", "sequences", "runs", "low", "median", "high"]
    if not bands:
        return pd.DataFrame(columns=columns)
    return pd.concat(bands, ignore_index=True)[columns]


@once
def survival_table(study: Study) -> pd.DataFrame:
    """A row per group and time: the share of its runs that have not solved the task yet.

    Groups of tasks on which solved is not defined have none.
    """
    curves = [
        kaplan_meier(list(group["time"]), list(group["observed"])).assign(
            section=section, label=label
        )
        for section, label, group in groups(study.runs)
        if study.tasks[section].solvable
    ]
    columns = [*GROUP, "time", "at_risk", "events", "censored", "survival", "low", "high"]
    if not curves:
        return pd.DataFrame(columns=columns)
    return pd.concat(curves, ignore_index=True)[columns]
