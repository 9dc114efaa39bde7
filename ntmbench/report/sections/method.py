"""How the report is to be read: what holds of every study, and what holds of this one."""

from __future__ import annotations

from collections.abc import Iterator

from ntmbench.data.literature import library
from ntmbench.evaluation.levels import SOLVED_BELOW
from ntmbench.plotting.wording import error, errors
from ntmbench.report.page.blocks import Block, Bullets
from ntmbench.report.page.words import listed, plural, sentence
from ntmbench.report.section import Section, register_section
from ntmbench.report.study.controls import TOLERANCE
from ntmbench.report.study.outcomes import SOLVED_SEQUENCES
from ntmbench.report.study.study import Study

#: What errors and loss mean, by the unit of the answer.
MEANT = {
    "bit": "Wrong bits are thresholded bits that differ; their loss bits are cross-entropy.",
    "symbol": (
        "A symbol is wrong where another one is given a higher probability; its loss bits are "
        "cross-entropy."
    ),
    "number": (
        "A number is wrong where it is off by more than the task's tolerance; its loss bits are "
        "the squared error as a Gaussian's whose standard deviation is the tolerance."
    ),
}


def blocks(study: Study) -> Iterator[Block]:
    """A paragraph for each subject."""
    yield Bullets(method(study))


def method(study: Study) -> list[str]:
    """How to read the report of ``study``, a paragraph for each subject."""
    return [
        *_runs(study),
        *_attempts(study),
        *_figures(study),
        *_comparisons(study),
        *_data(study),
        *_pictures(),
        *_references(study),
    ]


def _runs(study: Study) -> Iterator[str]:
    yield (
        "Seeds are the unit of replication: runs that differ in their seed alone are one model "
        f"here. The most that a model has on a task is {_most_seeds(study)}. Names of models and "
        "tasks have the fewest settings that tell them apart, and leave out the values that most "
        "share. Whatever else differs is said with each task, and the commands have it all. All "
        "intervals are at 95%."
    )
    solved = library().sources["collier2018"]
    yield (
        f"A run has reached a task at the first validation with fewer than {SOLVED_BELOW} "
        f"{errors(study.unit)} per sequence, on {SOLVED_SEQUENCES} sequences at least "
        f"({solved.cite}: {solved.title}). It has solved the task if all validations from some "
        "point to the end of a finished training are below that; its sequences to solve are "
        "counted up to that point. Every 32 validation sequences share a length drawn at random, "
        "and the longest need not be among them: a run can have solved a task and yet make rare "
        "mistakes on test data."
    )


def _most_seeds(study: Study) -> str:
    seeds = study.runs.groupby(["section", "label"])["seed"].nunique()
    return plural(int(seeds.max()) if len(seeds) else 0, "seed")


def _attempts(study: Study) -> Iterator[str]:
    """Who may begin anew, where anybody may."""
    several = [study.settings[run]["train"].get("attempts", 1) > 1 for run in study.runs["run"]]
    begun_anew = study.runs[several].drop_duplicates(["section", "label"])
    if begun_anew.empty:
        return
    models = dict.fromkeys(
        f"{label} on {section}"
        for section, label in zip(begun_anew["section"], begun_anew["label"], strict=True)
    )
    yield (
        "Where train.attempts is above 1, training begins anew, from other initial weights and on "
        "the data that follow, while the selected weights make mistakes on the validation data, "
        "those beyond the training lengths included. It ends with the first attempt that makes "
        "none. The sequences of all attempts count, and so do all of them as one run: whether and "
        "when it has solved the task is judged to the end of the last attempt, though the selected "
        f"weights may be those of an earlier one. Several attempts were allowed to "
        f"{listed(models, most=12)}, and to no other model."
    )


def _figures(study: Study) -> Iterator[str]:
    unit = study.unit
    yield (
        "Solved: how many of all runs, and Wilson's interval of their share. Sequences to solve: "
        "the median of the Kaplan-Meier curve. With an even number of runs it may lie between two "
        "of them, where no run is; the table then says by when one half has solved the task, and "
        "from when the other half has. Runs that did not solve the task are censored, not "
        "dropped: diverged ones at their budget, others where they ended."
    )
    yield (
        "90% (99%) exact to, the effective length: the longest test length up to which 90% (99%) "
        f"of the sequences have no {error(unit)}; the median over the seeds that were tested (of "
        "an even number the lower of the two in the middle) and its bootstrap interval. At the "
        "longest test length both are bounds: longer ones may be exact too."
    )
    yield (
        f"{sentence(errors(unit))} and loss over the optimum are per sequence, at the longest "
        "test length within training: the interquartile mean over seeds and its bootstrap "
        "interval. With 10 seeds such an interval holds the truth in about 93% of the cases, with "
        "5 in 90%, if the values are spread out; where half of the seeds or more are at zero and "
        "the others far from it, with 5 in 75 to 88%. Equal seeds give an interval without width; "
        "that is no proof that others would be equal too. An interquartile mean of 0 may leave out "
        "seeds that make mistakes: how many are at zero is said where not all are."
    )


def _comparisons(study: Study) -> Iterator[str]:
    if study.runs.loc[~study.runs["control"], "label"].nunique() < 2:
        return
    yield (
        "Models are compared on the seeds on which both were tested, by a permutation test of the "
        "paired differences, with Holm's correction for all comparisons of the task. Seeds that "
        "either was not tested on are left out. Where a model occurs with several settings and one "
        "of them goes by its bare name, the others are compared with that one alone, and it alone "
        "with other models. Where a p-value is the least that so few pairs can give, the table "
        "says so: it would be the same however far apart the models were. Where a score is not "
        "finite there is no difference to test, and the models are not compared. Detectable is the "
        "true difference that so many pairs of this spread would find four times in five after the "
        "correction (as Bonferroni)."
    )


def _data(study: Study) -> Iterator[str]:
    erring = [task.label for task in study.tasks.values() if not task.solvable]
    of_erring = (
        f"; on {listed(erring)}, where the optimum makes mistakes itself, they have the least loss"
        if erring
        else ""
    )
    yield (
        "Validation data (learning curves) have the lengths of training. Weights are selected that "
        f"have the fewest {errors(study.unit)} there and, among those, do best on validation data "
        f"of some longer lengths too (listed with each task){of_erring}. Up to those lengths, "
        "scores over length show no untouched extrapolation. Test data (scores over length) are "
        "never used in training or selection, and are scored with the selected weights."
    )
    meant = [MEANT[unit] for unit in study.units if unit in MEANT]
    yield " ".join(
        [
            *meant,
            "Chance is the best constant answer, the optimum is the task's oracle. Figures are "
            "never rounded to 0 or to 100%.",
        ]
    )


def _pictures() -> Iterator[str]:
    yield (
        "Learning curves show the median and the interquartile range over runs, and each run as a "
        "thin line. After its end a finished run counts with its last value, and a diverged one as "
        "infinitely bad; failed and unfinished runs count as far as they came. Scores over length "
        "show the median and the whole range, errors by step the median and the interquartile "
        "range."
    )


def _references(study: Study) -> Iterator[str]:
    erring = any(not task.solvable for task in study.tasks.values())
    oracle = (
        f"the oracle must have no {error(study.unit)} or, where the optimum itself makes mistakes, "
        f"a loss within {TOLERANCE:.0%} of the optimum's"
        if erring
        else f"the oracle must have no {error(study.unit)}"
    )
    yield (
        f"Controls: {oracle}; the constant must end within {TOLERANCE:.0%} of the validation "
        "loss of the constant with the least training loss; the memoryless network must not be "
        f"more than {TOLERANCE:.0%} below that of the best constant where the task needs memory. "
        "One that diverges fails, and so does one that finished without what it is judged by."
    )
    yield (
        "The scorecard sets medians beside the literature, but where no mistake is claimed the "
        "worst run. It cannot tell where our budget ends before theirs, if that is known, was "
        "spent and our figure is not the better one even so, and compares times at equal batch "
        "size and about equal parameters only."
    )
    yield (
        "A command repeats a run into results/; a run that is finished there is reported as done, "
        "and rerun=true forces it. A run's name is a link where its folder was there when the "
        "report was written; the link works as long as the report lies beside the runs."
    )


register_section(Section(order=90, anchor="method", title="How to read this", blocks=blocks))
