"""What a search leaves: a table of its trials, pictures, and a recipe."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from optuna.exceptions import ExperimentalWarning
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console
from rich.table import Table

from ntmbench.data.files import write_bytes, write_text
from ntmbench.data.ranges import Searched
from ntmbench.data.spreadsheet import csv_of
from ntmbench.search.arguments import Search
from ntmbench.search.recipe import recipe_text
from ntmbench.search.record import FAILED, FINISHED, in_words, record_of
from ntmbench.search.space import rounded
from ntmbench.search.study import REASON, TODAY, SharedStudy, best_first
from ntmbench.search.trial import DIVERGED, RANK, SEQUENCES

#: Rows of the table that is printed; trials.csv has all.
SHOWN = 10
#: Trials below which importance is not estimated.
FEWEST = 4
#: The share of trials that are the best, whose values importance tells from those of all.
BEST = 0.25


def conclude(study: SharedStudy, search: Search, console: Console) -> Path | None:
    """Write and print what was found; return the recipe's file, or None if no trial has ended."""
    trials = study.trials()
    table = trials_table(trials, search.space)
    write_text(study.folder / "trials.csv", csv_of(table))
    ranked = best_first(trials)
    if not ranked:
        return None
    best = ranked[0]
    label = score_label(search)
    shown = table.set_index("trial").loc[[trial.number for trial in ranked[:SHOWN]]]
    console.print(_drawn(shown, search.space, label))
    values = {name: rounded(best.params[name]) for name in search.space}
    record = record_of(search, trials, table, values)
    for line in in_words(record, search):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    for today in (trial for trial in ranked if trial.user_attrs.get(TODAY)):
        console.print(
            f"Best: {_score(best.user_attrs[RANK][0])} {label} (trial {best.number}); with today's "
            f"values: {_score(today.user_attrs[RANK][0])} (trial {today.number}).",
            highlight=False,
            soft_wrap=True,
        )
    plots = study.folder / "plots"
    plots.mkdir(exist_ok=True)
    _draw(plots, table, importance_of(study), search.space, label, best.number)
    path = study.folder / "recipe" / f"{study.name}.yaml"
    path.parent.mkdir(exist_ok=True)
    write_text(path, recipe_text(search, study.name, record))
    return path


def score_label(search: Search) -> str:
    """What the score of a trial counts."""
    task = search.config().task
    if not task.deterministic:
        return "bits of loss per answer"
    return f"wrong {task.answer.unit}s per sequence"


def state_of(trial: FrozenTrial) -> str:
    """finished, pruned, failed, interrupted, running or waiting."""
    if trial.state == TrialState.FAIL:
        return FAILED if REASON in trial.user_attrs else "interrupted"
    return FINISHED if trial.state == TrialState.COMPLETE else trial.state.name.lower()


def trials_table(trials: list[FrozenTrial], space: Mapping[str, Searched]) -> pd.DataFrame:
    """A row for each trial that has begun: its values, how it ended, and what it used up.

    ``score`` is the first number of the rank, over all seeds; ``last_validation`` the last that
    a pruned trial reported: a point of the first seed's learning curve, or a mean over seeds.
    """
    rows = []
    for trial in trials:
        if trial.state == TrialState.WAITING:
            continue
        reported = trial.intermediate_values
        rows.append(
            {
                "trial": trial.number,
                "state": state_of(trial),
                "today": bool(trial.user_attrs.get(TODAY)),
                "score": trial.value if trial.state == TrialState.COMPLETE else math.nan,
                "last_validation": reported[max(reported)] if reported else math.nan,
                **{name: rounded(trial.params[name]) for name in space if name in trial.params},
                "sequences": int(trial.user_attrs.get(SEQUENCES, 0)),
                "seconds": trial.duration.total_seconds() if trial.duration else math.nan,
                "diverged": int(trial.user_attrs.get(DIVERGED, 0)),
                "reason": trial.user_attrs.get(REASON),
                "rank": " ".join(map(repr, trial.user_attrs.get(RANK, ()))),
            }
        )
    names = ["trial", "state", "today", "score", "last_validation", *space]
    return pd.DataFrame(
        rows, columns=[*names, "sequences", "seconds", "diverged", "reason", "rank"]
    ).astype({"today": bool})


def importance_of(study: SharedStudy) -> pd.Series[float]:
    """The share of each setting in the difference between good trials and all, by PED-ANOVA.

    Empty where too few trials have finished, or too many are alike. The method is that of Watanabe
    et al. (2023).
    """
    finished = [t for t in study.trials() if t.state == TrialState.COMPLETE]
    scores = {t.value for t in finished}
    if len(finished) < FEWEST or len(scores) < 2:
        return pd.Series(dtype=float)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # the best trials are no fewer than all
        warnings.simplefilter("ignore", ExperimentalWarning)
        evaluator = PedAnovaImportanceEvaluator(target_quantile=BEST)
        try:
            shares = get_param_importances(study.study, evaluator=evaluator)
        except UserWarning:
            return pd.Series(dtype=float)
    return pd.Series(shares, dtype=float).sort_values(ascending=False)


def _draw(
    plots: Path,
    table: pd.DataFrame,
    importance: pd.Series[float],
    space: Mapping[str, Searched],
    label: str,
    best: int,
) -> None:
    from ntmbench.plotting.search import plot_importance, plot_slices  # takes a second
    from ntmbench.plotting.style import png

    write_bytes(plots / "slices.png", png(plot_slices(table, space, label, best)))
    if len(importance):
        write_bytes(plots / "importance.png", png(plot_importance(importance)))


def _drawn(table: pd.DataFrame, space: Mapping[str, Searched], label: str) -> Table:
    drawn = Table(title=f"Search: {label}, validation", title_justify="left")
    for heading in ("trial", "score", "seconds"):
        drawn.add_column(heading, justify="right")
    drawn.add_column("settings", overflow="fold")
    for number, row in table.iterrows():
        values = [f"{name.partition('.')[2]}={_text(row[name])}" for name in space]
        values += ["(today's)"] * row["today"] + ["(diverged)"] * bool(row["diverged"])
        drawn.add_row(str(number), _score(row["score"]), f"{row['seconds']:.0f}", " ".join(values))
    return drawn


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _score(value: float) -> str:
    """Four digits, zeros included, so that those of a column stand below each other."""
    return f"{value:#.4g}"
