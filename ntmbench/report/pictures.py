"""The pictures of one task, drawn from the report's tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import pandas as pd
from matplotlib.figure import Figure

from ntmbench.report.gallery import Example, median_run, plot_answers, plot_trace, read_example
from ntmbench.report.guides import Level, chance_level, optimum_level, paper_levels, paper_moments
from ntmbench.report.page import Picture
from ntmbench.report.pairs import score_of
from ntmbench.report.plots import plot_curves, plot_lengths, plot_positions, plot_survival
from ntmbench.report.sections import Section
from ntmbench.report.study import Study
from ntmbench.report.style import Look
from ntmbench.report.svg import svg

#: Of a task with more models that have a memory (a table of ablations), the first are drawn.
MOST_MEMORIES = 4

TITLES = {
    "errors": "Wrong bits per sequence by test length",
    "exact_match": "Sequences without a wrong bit by test length",
    "loss_bits": "Loss bits per sequence by test length",
}


def scores_of(section: Section) -> tuple[str, str]:
    """The scores that tell most of a task over length."""
    # Where zero wrong bits can not be had, the loss tells more.
    return ("errors", "exact_match") if section.solvable else ("loss_bits", "errors")


def section_pictures(
    section: Section,
    anchor: str,
    study: Study,
    tables: Mapping[str, pd.DataFrame],
    looks: Mapping[str, Look],
) -> list[Picture]:
    """The pictures of a task; ``tables`` hold its rows without controls."""

    def picture(name: str, title: str, figure: Figure) -> Picture:
        file = f"{anchor}-{name.replace('_', '-')}.svg"
        return Picture(file, f"{section.label}: {title}", svg(figure, f"{anchor}-{name}"))

    pictures = []
    of_section = study.metrics["section"] == section.label
    curves = study.metrics[of_section & ~study.metrics["control"]]
    if len(curves):
        for column in ("errors", "loss_bits"):
            bands = tables["curves"]
            figure = plot_curves(
                curves,
                bands[bands["metric"] == column],
                column,
                looks,
                _levels(section, column),
                # The paper draws the loss.
                paper_moments(section.paper) if column == "loss_bits" else (),
            )
            title = f"learning curves, {column.replace('_', ' ')}"
            pictures.append(picture(f"curve-{column}", title, figure))
    if len(tables["survival"]):
        figure = plot_survival(tables["survival"], looks)
        pictures.append(picture("survival", "runs not yet solved over training", figure))
    lengths = tables["lengths"]
    if len(lengths):
        for score in scores_of(section):
            levels = _levels_by_length(lengths, score, solvable=section.solvable)
            figure = plot_lengths(
                lengths, score, looks, section.lengths, section.selection_lengths, levels
            )
            pictures.append(picture(f"length-{score}", TITLES[score].lower(), figure))
    positions = _shown_positions(tables["positions"], section)
    chance = _chance_by_step(positions, lengths)
    for length in sorted({int(length) for length in positions["length"]}):
        at_length = positions[positions["length"] == length]
        figure = plot_positions(at_length, length, looks, chance.get(length, math.nan))
        title = f"wrong bits by step of the answer, length {length}"
        pictures.append(picture(f"positions-{length}", title, figure))
    return pictures


def gallery_pictures(
    section: Section, anchor: str, runs: pd.DataFrame
) -> tuple[list[Picture], list[str]]:
    """One test example as the models answered it; and which could not be read, and why.

    ``runs`` are the section's, without controls.
    """
    examples, faults = [], []
    for _, group in runs.groupby("label", sort=False):
        run = median_run(group, score_of(section))
        if run is None:
            continue
        try:
            examples.append(read_example(run))
        except (OSError, ValueError) as error:
            faults.append(str(error))
    return list(_gallery(section, anchor, examples)), faults


def _gallery(section: Section, anchor: str, examples: list[Example]) -> Iterator[Picture]:
    by_length: dict[int, list[Example]] = {}
    for example in examples:
        by_length.setdefault(example.length, []).append(example)
    for length, of_length in by_length.items():
        name = f"{anchor}-answers-{length}"
        yield Picture(
            f"{name}.svg",
            f"{section.label}: input, target and the models' outputs",
            svg(plot_answers(of_length), name),
            wide=True,
            caption=f"A test sequence of length {length}: bright is 1, a cross is a wrong bit "
            f"({of_length[0].scored_bits:,} count), grey does not count. Of each model the seed of "
            "the median score.",
        )
    traced = [example for example in examples if example.trace]
    for place, example in enumerate(traced[:MOST_MEMORIES]):
        name = f"{anchor}-memory-{place}"
        yield Picture(
            f"{name}.svg",
            f"{section.label}: the memory of {example.label}",
            svg(plot_trace(example), name),
            caption=f"{example.label}, seed {example.seed}, on the same sequence: what it adds to "
            "its memory, what it reads, and where.",
        )


def _shown_positions(positions: pd.DataFrame, section: Section) -> pd.DataFrame:
    """Of the test lengths the longest within training, the one after it and the longest."""
    lengths = sorted(set(positions["length"]))
    beyond = [length for length in lengths if length > (section.near_length or 0)]
    shown = {section.near_length, *beyond[:1], *beyond[-1:]}
    return positions[positions["length"].isin(shown)]


def _chance_by_step(positions: pd.DataFrame, lengths: pd.DataFrame) -> dict[int, float]:
    """Chance's wrong bits, spread evenly over the steps."""
    chance = lengths.groupby("length")["chance_errors"].max()
    steps = positions.groupby("length")["position"].nunique()
    return {
        int(length): float(chance[length] / steps[length])
        for length in steps.index
        if length in chance.index
    }


def _levels(section: Section, column: str) -> list[Level]:
    """What to compare a learning curve with."""
    if section.validation is None:
        return []
    optimum: float = getattr(section.validation.optimum, column)
    levels = [chance_level(getattr(section.validation.chance, column))]
    if not section.solvable:
        levels.append(optimum_level(optimum))
    if column == "loss_bits":
        levels.extend(paper_levels(section.paper, optimum))
    return levels


def _levels_by_length(lengths: pd.DataFrame, score: str, *, solvable: bool) -> pd.DataFrame:
    """What to compare a score over length with: the columns length, name and value."""
    known = {"errors": ("chance", "chance_errors")}
    if not solvable:
        known["loss_bits"] = ("optimum", "optimum_loss_bits")
    if score not in known:
        return pd.DataFrame(columns=["length", "name", "value"])
    name, column = known[score]
    values = lengths.groupby("length")[column].max().dropna()
    return pd.DataFrame({"length": values.index, "name": name, "value": values.to_numpy()})
