"""What the literature reports, in one place, to draw and set beside the runs' own figures.

All values are read off the learning curves of Graves, Wayne and Danihelka (2014), "Neural Turing
Machines"; cost per sequence there is cross-entropy in bits, here ``loss_bits``.

Levels are told from the optimum up. On n-grams that is the only fair way: the paper's 133 bits for
the optimum count the first five coins of a sequence, which are not scored here, and between two
sets of 1,000 sequences the optimum itself differs by more than a bit.
"""

from __future__ import annotations

from dataclasses import dataclass

from ntmbench.task import Task


@dataclass(frozen=True)
class PaperResult:
    """Where a learning curve of the paper ends.

    Attributes:
        model: the paper's name of it.
        above_optimum: loss bits above the task's optimum (zero, but for n-grams) that it ends at,
            lowest and highest reading; None where that is near zero or can not be read.
        near_zero_by: training sequences after which it is near zero; None where it is not.
        note: the same in words.
        source: section of the paper.
    """

    model: str
    above_optimum: tuple[float, float] | None
    near_zero_by: int | None
    note: str
    source: str


PAPER: dict[str, tuple[PaperResult, ...]] = {
    "copy": (
        PaperResult("NTM", None, 100_000, "near zero by about 100,000 sequences", "section 4.1"),
        PaperResult("LSTM", (0.5, 0.5), None, "about 0.5 bits after 1,000,000", "section 4.1"),
    ),
    "repeat_copy": (
        PaperResult(
            "NTM, LSTM controller", None, 50_000, "near zero by about 50,000", "section 4.2"
        ),
        PaperResult(
            "NTM, feedforward controller", None, 100_000, "near zero by 100,000", "section 4.2"
        ),
        PaperResult("LSTM", None, 150_000, "near zero by about 150,000", "section 4.2"),
    ),
    "recall": (
        PaperResult("NTM", None, 30_000, "near zero at about 30,000 sequences", "section 4.3"),
        PaperResult("LSTM", None, None, "not at zero after 1,000,000", "section 4.3"),
    ),
    "ngrams": (
        PaperResult("NTM", (1, 1), None, "about 134 bits, the optimum 133", "section 4.4"),
        PaperResult("LSTM", (3, 3), None, "about 136 bits, the optimum 133", "section 4.4"),
    ),
    "priority_sort": (
        PaperResult("NTM", (18, 20), None, "about 18 to 20 bits after 1,000,000", "section 4.5"),
        PaperResult("LSTM", (58, 58), None, "about 58 bits after 1,000,000", "section 4.5"),
    ),
}


def paper_results(task: Task) -> tuple[PaperResult, ...]:
    """The paper's results on a task; none where the task's sizes are not the paper's."""
    return PAPER.get(task.name, ()) if task == type(task)() else ()
