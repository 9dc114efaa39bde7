"""The pictures of one task, drawn from the report's tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import pandas as pd
from matplotlib.figure import Figure

from ntmbench.errors import UserError
from ntmbench.plotting import wording
from ntmbench.plotting.example import COUNTED
from ntmbench.plotting.guides import Level, compare_with, paper_moments
from ntmbench.plotting.style import Look
from ntmbench.plotting.svg import svg
from ntmbench.report.page.blocks import Picture
from ntmbench.report.page.slugs import slugs
from ntmbench.report.plots.curves import plot_curves
from ntmbench.report.plots.gallery import (
    Answered,
    median_run,
    plot_answers,
    plot_memory,
    read_answer,
)
from ntmbench.report.plots.lengths import plot_lengths
from ntmbench.report.plots.numbered import plot_numbered
from ntmbench.report.plots.positions import plot_positions
from ntmbench.report.plots.seeds import plot_seeds
from ntmbench.report.plots.survival import plot_survival
from ntmbench.report.study.lengths import numbered_variations
from ntmbench.report.study.pairs import score_of
from ntmbench.report.study.study import Study
from ntmbench.report.study.tasks import StudyTask
from ntmbench.runs.stored import ExampleFile

#: Memories drawn for a task; those of more models (a table of ablations) are left out.
MOST_MEMORIES = 4


def title_over_length(score: str, unit: str) -> str:
    """``wrong bits per sequence by test length``."""
    return f"{wording.axis(score, unit)} by test length"


def scores_of(section: StudyTask) -> tuple[str, str]:
    """The scores that tell most of a task over length."""
    # Where no run can be without errors, the loss tells more.
    return ("errors", "exact_match") if section.solvable else ("loss_bits", "errors")


def section_pictures(
    section: StudyTask,
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
    unit = section.unit
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
                unit=unit,
            )
            title = f"learning curves, {wording.score(column, unit)}"
            pictures.append(picture(f"curve-{column}", title, figure))
    if len(tables["survival"]):
        figure = plot_survival(tables["survival"], looks)
        pictures.append(picture("survival", "runs not yet solved over training", figure))
    score, _ = scores_of(section)
    scored = study.runs[(study.runs["section"] == section.label) & ~study.runs["control"]]
    if section.near_length is not None and scored[score].notna().any():
        figure = plot_seeds(scored, score, looks, section.near_length, unit=unit)
        title = f"{wording.score(score, unit)} of every run, length {section.near_length}"
        pictures.append(picture("seeds", title, figure))
    lengths = tables["lengths"]
    if len(lengths):
        for score in scores_of(section):
            levels = _levels_by_length(lengths, score, solvable=section.solvable)
            figure = plot_lengths(
                lengths,
                score,
                looks,
                section.lengths,
                section.selection_lengths,
                levels,
                unit=unit,
            )
            title = title_over_length(score, unit)
            pictures.append(picture(f"length-{score}", title, figure))
    series = numbered_variations(tables["variations"].dropna(subset="right_median"))
    names = slugs(series)
    for counted, rows in series.items():
        figure = plot_numbered(rows, looks, counted, unit=unit)
        pictures.append(picture(f"by-{names[counted]}", f"right {unit}s by {counted}", figure))
    positions = _shown_positions(tables["positions"], section)
    chance = _chance_by_step(positions, lengths)
    for length in sorted({int(length) for length in positions["length"]}):
        at_length = positions[positions["length"] == length]
        figure = plot_positions(at_length, length, looks, chance.get(length, math.nan), unit=unit)
        title = f"{wording.errors(unit)} by step of the answer, length {length}"
        pictures.append(picture(f"positions-{length}", title, figure))
    return pictures


def gallery_pictures(
    section: StudyTask, anchor: str, runs: pd.DataFrame, examples: Mapping[str, ExampleFile]
) -> tuple[list[Picture], list[str]]:
    """One test example as the models answered it; and which cannot be read, and why.

    ``runs`` are the section's, without controls; ``examples`` are by run.
    """
    answers, faults = [], []
    for _, group in runs.groupby("label", sort=False):
        run = median_run(group, score_of(section), examples)
        if run is None:
            continue
        try:
            answers.append(read_answer(run, examples[str(run["run"])]))
        except (OSError, ValueError, UserError) as error:
            faults.append(str(error))
    return list(_gallery(section, anchor, answers)), faults


def _gallery(section: StudyTask, anchor: str, answers: list[Answered]) -> Iterator[Picture]:
    by_length: dict[int, list[Answered]] = {}
    for answered in answers:
        by_length.setdefault(answered.length, []).append(answered)
    for length, of_length in by_length.items():
        name = f"{anchor}-answers-{length}"
        example = of_length[0].example
        yield Picture(
            f"{name}.svg",
            f"{section.label}: input, target and the models' outputs",
            svg(plot_answers(of_length), name),
            wide=True,
            caption=f"A test sequence of length {length}. {example.counted:,} "
            f"{COUNTED[example.kind]} of the answer count. Each model is shown by the seed with "
            "the median score.",
        )
    with_memory = [answered for answered in answers if answered.memory]
    for place, answered in enumerate(with_memory[:MOST_MEMORIES]):
        name = f"{anchor}-memory-{place}"
        yield Picture(
            f"{name}.svg",
            f"{section.label}: the memory of {answered.label}",
            svg(plot_memory(answered), name),
            caption=f"{answered.label}, seed {answered.seed}, on the same sequence: what it did to "
            "its memory at each step.",
        )


def _shown_positions(positions: pd.DataFrame, section: StudyTask) -> pd.DataFrame:
    """The longest test length within training, the one after it and the longest of all."""
    lengths = sorted(set(positions["length"]))
    beyond = [length for length in lengths if length > (section.near_length or 0)]
    shown = {section.near_length, *beyond[:1], *beyond[-1:]}
    return positions[positions["length"].isin(shown)]


def _chance_by_step(positions: pd.DataFrame, lengths: pd.DataFrame) -> dict[int, float]:
    """Chance's errors, spread evenly over the steps."""
    chance = lengths.groupby("length")["chance_errors"].max()
    steps = positions.groupby("length")["position"].nunique()
    return {
        int(length): float(chance[length] / steps[length])
        for length in steps.index
        if length in chance.index
    }


def _levels(section: StudyTask, column: str) -> list[Level]:
    """What to compare a learning curve with."""
    if section.validation is None:
        return []
    chance, optimum = (
        getattr(ends, column) for ends in (section.validation.chance, section.validation.optimum)
    )
    # The paper draws the loss.
    paper = section.paper if column == "loss_bits" else ()
    return compare_with(chance, optimum, solvable=section.solvable, paper=paper)


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
