"""What the literature reports, in one place, to draw and set beside the runs' own figures.

What is drawn is read off the learning curves of Graves, Wayne and Danihelka (2014), "Neural Turing
Machines"; cost per sequence there is cross-entropy in bits, here ``loss_bits``. The scorecard sets
the later results beside them.

Levels are told from the optimum up. On n-grams that is the only fair way: the paper's 133 bits for
the optimum count the first five coins of a sequence, which are not scored here, and between two
sets of 1,000 sequences the optimum itself differs by more than a bit.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from ntmbench.plotting.guides import PaperResult
from ntmbench.task import Task


class Measure(enum.Enum):
    """A figure that the literature gives, and how it is told here. Less is better of each.

    SEQUENCES are those from which wrong bits stay low, REACHED those at which they are so first.
    """

    SEQUENCES = "sequences to solve"
    REACHED = "sequences to reach"
    WRONG_BITS = "wrong bits"
    LOSS_BITS = "loss bits over the optimum"
    MILLISECONDS = "milliseconds a training sequence"


@dataclass(frozen=True)
class Literature:
    """A figure of the literature.

    Attributes:
        task: at its default settings.
        model: the model here that is set beside it.
        controller: which of that model's controllers; None for any.
        measure: what is given.
        length: the test length; None for the longest training length.
        low: the figure, or the lower end of its reading.
        high: the upper end; infinite where it is only known that it was not reached.
        tolerance: what is called the same on either side: of WRONG_BITS and LOSS_BITS bits, else a
            share of the figure.
        says: the figure in the source's own terms.
        source: where it is from.
        below: of REACHED, the wrong bits per sequence that are to be undercut.
        batch_size: of MILLISECONDS, the sequences in a step.
        parameters: of MILLISECONDS, the model's.
        spent: of WRONG_BITS and LOSS_BITS, the training sequences that they are said to have taken;
            0 where it is not said.
    """

    task: str
    model: str
    controller: str | None
    measure: Measure
    length: int | None
    low: float
    high: float
    tolerance: float
    says: str
    source: str
    below: float = math.nan
    batch_size: int | None = None
    parameters: int | None = None
    spent: int = 0

    @property
    def exactness(self) -> bool:
        """Whether it claims that no bit is wrong."""
        return self.measure is Measure.WRONG_BITS and self.high == 0


#: Readings of the paper's curves are good for about a quarter of a number of sequences.
BY_EYE = 0.25

GRAVES = "Graves et al. 2014"
PYTORCH_2018 = "a much-used NTM in PyTorch, 2018"
PYTORCH_2026 = "an NTM in PyTorch, 2026"

_S, _R, _M = Measure.SEQUENCES, Measure.REACHED, Measure.MILLISECONDS
_W, _L = Measure.WRONG_BITS, Measure.LOSS_BITS

LITERATURE: tuple[Literature, ...] = (
    Literature(
        *("copy", "ntm", None, _S, None, 100_000, 100_000, BY_EYE),
        *("near zero by about 100,000", f"{GRAVES}, section 4.1 (figure)"),
    ),
    Literature(
        *("copy", "ntm", None, _S, None, 17_000, 17_000, BY_EYE),
        *("about 17,000", PYTORCH_2018),
    ),
    Literature(
        *("copy", "ntm", "lstm", _R, None, 10_000, 10_000, BY_EYE),
        *("under 0.05 bits at 10,000", PYTORCH_2026, 0.05),
    ),
    Literature(
        *("copy", "ntm", "feedforward", _R, None, 5_000, 5_000, BY_EYE),
        *("under 0.05 bits at 5,000", PYTORCH_2026, 0.05),
    ),
    Literature(
        *("copy", "ntm", None, _W, 120, 0, 0, 0.05),
        *("0.0% wrong at length 120", PYTORCH_2026),
    ),
    Literature(
        *("copy", "lstm", None, _L, None, 0.5, 0.5, 0.25),
        *("about 0.5 bits after 1,000,000", f"{GRAVES}, section 4.1 (figure)"),
        spent=1_000_000,
    ),
    Literature(
        *("copy", "ntm", None, _M, None, 11.3, 11.3, 0.1),
        *("11.3 ms at batch size 1 on a laptop's CPU", PYTORCH_2026),
        batch_size=1,
        parameters=67_561,  # the paper's sizes
    ),
    Literature(
        *("repeat_copy", "ntm", "lstm", _S, None, 50_000, 50_000, BY_EYE),
        *("near zero by about 50,000", f"{GRAVES}, section 4.2 (figure)"),
    ),
    Literature(
        *("repeat_copy", "ntm", "feedforward", _S, None, 100_000, 100_000, BY_EYE),
        *("near zero by 100,000", f"{GRAVES}, section 4.2 (figure)"),
    ),
    Literature(
        *("repeat_copy", "ntm", None, _S, None, 38_000, 38_000, BY_EYE),
        *("about 38,000", PYTORCH_2018),
    ),
    Literature(
        *("repeat_copy", "ntm", None, _W, 20, 0, 0, 0.05),
        *("twice the length generalises", f"{GRAVES}, section 4.2"),
    ),
    Literature(
        *("repeat_copy", "lstm", None, _S, None, 150_000, 150_000, BY_EYE),
        *("near zero by about 150,000", f"{GRAVES}, section 4.2 (figure)"),
    ),
    Literature(
        *("recall", "ntm", None, _S, None, 30_000, 30_000, BY_EYE),
        *("near zero at about 30,000", f"{GRAVES}, section 4.3 (figure)"),
    ),
    Literature(
        *("recall", "ntm", None, _S, None, 37_000, 40_000, BY_EYE),
        *("at zero by 37,000 to 40,000", PYTORCH_2026),
    ),
    Literature(
        *("recall", "ntm", "feedforward", _L, 15, 0, 1, 0.25),
        *("under 1 bit at 15 items", f"{GRAVES}, section 4.3 (figure)"),
    ),
    Literature(
        *("recall", "ntm", None, _W, 15, 0, 0, 0.05),
        *("exact to 15 items", PYTORCH_2026),
    ),
    Literature(
        *("recall", "ntm", None, _W, 20, 0.94, 0.94, 0.05),
        *("0.94 bits at 20 items", PYTORCH_2026),
    ),
    Literature(
        *("recall", "lstm", None, _S, None, 1_000_000, math.inf, 0),
        *("not at zero after 1,000,000", f"{GRAVES}, section 4.3 (figure)"),
    ),
    Literature(
        *("ngrams", "ntm", None, _L, None, 1, 1, 0.25),
        *("about 134 bits, the optimum 133", f"{GRAVES}, section 4.4 (figure)"),
    ),
    Literature(
        *("ngrams", "lstm", None, _L, None, 3, 3, 0.25),
        *("about 136 bits, the optimum 133", f"{GRAVES}, section 4.4 (figure)"),
    ),
    Literature(
        *("priority_sort", "ntm", None, _L, None, 18, 20, 1),
        *("about 18 to 20 bits after 1,000,000", f"{GRAVES}, section 4.5 (figure)"),
        spent=1_000_000,
    ),
    Literature(
        *("priority_sort", "lstm", None, _L, None, 58, 58, 2),
        *("about 58 bits after 1,000,000", f"{GRAVES}, section 4.5 (figure)"),
        spent=1_000_000,
    ),
)


def paper_results(task: Task) -> tuple[PaperResult, ...]:
    """The paper's results on a task; none where the task's sizes are not the paper's."""
    if task != type(task)():
        return ()
    return tuple(
        _paper_result(entry)
        for entry in LITERATURE
        if entry.task == task.name and entry.source.startswith(GRAVES) and entry.length is None
    )


def _paper_result(entry: Literature) -> PaperResult:
    controllers = {"lstm": ", LSTM controller", "feedforward": ", feedforward controller"}
    name = entry.model.upper() + controllers.get(entry.controller or "", "")
    if entry.measure is Measure.LOSS_BITS:
        return PaperResult(name, (entry.low, entry.high), None)
    return PaperResult(name, None, int(entry.high) if math.isfinite(entry.high) else None)


#: Parameters of the paper's models, by task: tables 1 to 3 there.
PAPER_PARAMETERS: dict[str, dict[tuple[str, str | None], int]] = {
    "copy": {("ntm", "feedforward"): 17_162, ("ntm", "lstm"): 67_561, ("lstm", None): 1_352_969},
    "repeat_copy": {
        ("ntm", "feedforward"): 16_712,
        ("ntm", "lstm"): 66_111,
        ("lstm", None): 5_312_007,
    },
    "recall": {
        ("ntm", "feedforward"): 146_845,
        ("ntm", "lstm"): 70_330,
        ("lstm", None): 1_344_518,
    },
    "ngrams": {("ntm", "feedforward"): 14_656, ("ntm", "lstm"): 61_749, ("lstm", None): 331_905},
    "priority_sort": {
        ("ntm", "feedforward"): 508_305,
        ("ntm", "lstm"): 269_038,
        ("lstm", None): 384_424,
    },
}
