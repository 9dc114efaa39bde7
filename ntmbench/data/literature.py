"""What the literature reports, read from ``literature.yaml``, to be set beside the runs.

The file says where each figure is from. This module checks the file and gives it types.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib.resources
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from omegaconf import OmegaConf

from ntmbench.errors import UserError, check_choice, check_known
from ntmbench.task import Task


class LiteratureError(UserError):
    """``literature.yaml`` says something that cannot be used."""


class Measure(enum.Enum):
    """A kind of figure that the literature gives; less is always better.

    SEQUENCES are those from which errors stay low, REACHED those at which they are so first.
    """

    SEQUENCES = "sequences to solve"
    REACHED = "sequences to reach"
    ERRORS = "errors"
    LOSS_BITS = "loss bits over the optimum"
    MILLISECONDS = "milliseconds a training sequence"


@dataclass(frozen=True)
class Source:
    """The source of figures: a paper, or a repository of code.

    Attributes:
        cite: its name in tables.
        address: its address on the web.
        year: the year of publication.
        title: a paper's title.
        authors: a paper's authors.
        repository: a repository of code, as ``owner/name``.
        curves: whether its learning curves are drawn beside the runs'.
    """

    cite: str
    address: str
    year: int
    title: str = ""
    authors: str = ""
    repository: str = ""
    curves: bool = False

    def __post_init__(self) -> None:
        """Check that it can be found by its name."""
        if not (self.repository or (self.title and self.authors)):
            raise LiteratureError(
                f"{self.cite} has no name. Allowed: a title and authors, or a repository."
            )
        if not self.address.startswith("https://"):
            raise LiteratureError(
                f"{self.cite}: address={self.address} is no web address. Allowed: one with https://."
            )


@dataclass(frozen=True)
class Literature:
    """A figure of the literature.

    Attributes:
        task: the task, at its default settings.
        model: the suite's model that is set beside the figure.
        controller: the controller of that model; None for any.
        measure: what the figure measures.
        length: the test length; None for the longest training length.
        low: the figure, or the lower end of its reading.
        high: the upper end; infinite where it is only known that it was not reached.
        tolerance: what is called the same on either side: of ERRORS and LOSS_BITS so many, else a
            share of the figure.
        says: the figure in the source's own terms.
        source: the source of the figure.
        where: the place in the source.
        below: of REACHED, the errors per sequence that are to be undercut.
        batch_size: of MILLISECONDS, the sequences in a step.
        parameters: of MILLISECONDS, the model's.
        spent: of ERRORS and LOSS_BITS, the training sequences that they are said to have taken;
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
    source: Source
    where: str = ""
    below: float = math.nan
    batch_size: int | None = None
    parameters: int | None = None
    spent: int = 0

    def __post_init__(self) -> None:
        """Check that the figure has what its measure needs."""
        if not 0 <= self.low <= self.high or self.tolerance < 0:
            raise LiteratureError(
                f"'{self.says}' is {self.low} to {self.high}, tolerance {self.tolerance}. "
                "Allowed: from the lowest to the highest, none of them negative."
            )
        if (self.measure is Measure.REACHED) != (not math.isnan(self.below)):
            raise LiteratureError(
                f"'{self.says}': below goes with the measure {Measure.REACHED.value}, and with "
                "no other."
            )

    @property
    def exactness(self) -> bool:
        """Whether it claims that there are no errors."""
        return self.measure is Measure.ERRORS and self.high == 0

    @property
    def cited(self) -> str:
        """The source, and the place in it."""
        return f"{self.source.cite}, {self.where}" if self.where else self.source.cite


@dataclass(frozen=True)
class Library:
    """Everything that the file holds.

    Attributes:
        sources: by key.
        figures: in the order of the file.
        parameters: those of the paper's models, by task, model and controller (None without one).
    """

    sources: Mapping[str, Source]
    figures: tuple[Literature, ...]
    parameters: Mapping[tuple[str, str, str | None], int]


@cache
def library() -> Library:
    """The literature that comes with the suite."""
    file = importlib.resources.files("ntmbench.data") / "literature.yaml"
    return read_library(file.read_text(encoding="utf-8"))


def read_library(text: str) -> Library:
    """The literature in text of the form that ``literature.yaml`` describes.

    Raises:
        LiteratureError: if something is missing or out of range.
        SettingError: for an unknown key, source or measure.
    """
    content: Any = OmegaConf.to_container(OmegaConf.create(text))
    for key in content:
        check_known("The literature", key, ["sources", "figures", "parameters"])
    sources = {
        key: _built(Source, f"Source {key}", entry)
        for key, entry in content.get("sources", {}).items()
    }
    figures = [_figure(entry, sources) for entry in content.get("figures", [])]
    parameters = {
        (entry["task"], entry["model"], entry.get("controller")): int(entry["count"])
        for entry in content.get("parameters", [])
    }
    return Library(sources, tuple(figures), parameters)


def _figure(entry: Mapping[str, Any], sources: Mapping[str, Source]) -> Literature:
    values = dict(entry)
    name = f"Figure '{values.get('says', '')}'"
    value = values.pop("value", None)
    low, high = value if isinstance(value, list) else (value, value)
    if low is None or high is None:
        raise LiteratureError(f"{name} has no value.")
    source, measure = str(values.get("source")), str(values.get("measure"))
    check_choice(f"{name}: source", source, list(sources))
    check_choice(f"{name}: measure", measure, [known.value for known in Measure])
    values |= {
        "low": float(low),
        "high": float(high),
        "source": sources[source],
        "measure": Measure(measure),
        "controller": values.get("controller"),
        "length": values.get("length"),
    }
    figure: Literature = _built(Literature, name, values)
    return figure


def _built(kind: Any, owner: str, values: Mapping[str, Any]) -> Any:
    """A dataclass from its fields by name, each known and none missing."""
    fields = dataclasses.fields(kind)
    for name in values:
        check_known(owner, name, [field.name for field in fields])
    for field in fields:
        if field.default is dataclasses.MISSING and field.name not in values:
            raise LiteratureError(f"{owner} has no {field.name}.")
    return kind(**values)


@dataclass(frozen=True)
class PaperResult:
    """Where a learning curve of the NTM paper ends.

    Attributes:
        model: the model's name in the paper.
        above_optimum: the loss bits above the task's optimum (zero except for n-grams) at which it
            ends, lowest and highest reading; None if they are near zero or cannot be read.
        near_zero_by: the training sequences after which it is near zero; None if it is not.
    """

    model: str
    above_optimum: tuple[float, float] | None
    near_zero_by: int | None


def paper_results(task: Task) -> tuple[PaperResult, ...]:
    """The paper's results on a task; none if the task's sizes differ from the paper's."""
    if task != type(task)():
        return ()
    return tuple(
        _paper_result(entry)
        for entry in library().figures
        if entry.task == task.name and entry.source.curves and entry.length is None
    )


def _paper_result(entry: Literature) -> PaperResult:
    controllers = {"lstm": ", LSTM controller", "feedforward": ", feedforward controller"}
    name = entry.model.upper() + controllers.get(entry.controller or "", "")
    if entry.measure is Measure.LOSS_BITS:
        return PaperResult(name, (entry.low, entry.high), None)
    return PaperResult(name, None, int(entry.high) if math.isfinite(entry.high) else None)
