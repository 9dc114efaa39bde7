"""The report as people read it: what is on the page, and the templates that lay it out.

Everything that comes from a run (names, settings, errors) is escaped by the templates'
environments, for HTML and for Markdown.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from itertools import count, groupby

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ntmbench.plotting.svg import inline


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: what it says.
        note: shown small below it.
        href: makes the text a link.
        kind: for the style sheet.
        rank: what it is sorted by, where that is not the text; infinite where nothing is known,
            which comes last in either direction.
        code: a command, shown below the rest.
    """

    text: str
    note: str = ""
    href: str = ""
    kind: str = ""
    rank: float | None = None
    code: str = ""

    @property
    def rank_text(self) -> str:
        """The rank as JavaScript reads it."""
        if self.rank is None:
            return ""
        last = math.isnan(self.rank) or self.rank == math.inf
        return "Infinity" if last else f"{self.rank:.10g}"


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        header: the columns' names.
        rows: a cell for each column.
        sortable: whether a click on a header sorts the rows.
        greatest_first: columns of which the greatest is shown first at the first click.
        unsorted: columns whose values have no common scale, so that a click does nothing.
        grouped: whether rows with the same first cell stay together when sorted, because the
            values of different groups do not compare: wrong bits of two tasks, for instance.
    """

    header: list[str]
    rows: list[list[Cell]]
    sortable: bool = False
    greatest_first: Collection[str] = ()
    unsorted: Collection[str] = ()
    grouped: bool = False

    @property
    def bodies(self) -> list[list[list[Cell]]]:
        """The rows that stay together."""
        if not self.grouped:
            return [self.rows]
        return [list(rows) for _, rows in groupby(self.rows, key=lambda row: row[0].text)]


@dataclass(frozen=True)
class Picture:
    """A picture, by its file's name in ``plots/``, and what it shows.

    ``wide`` ones take the page's whole width.
    """

    file: str
    alt: str
    svg: str
    wide: bool = False
    caption: str = ""

    @property
    def element(self) -> Markup:
        """The picture as an element of the page."""
        return Markup(inline(self.svg, escape(self.alt, quote=True)))


@dataclass(frozen=True)
class Alert:
    """What must be known before any number is read; ``bad`` ones say that something is wrong."""

    text: str
    bad: bool = False


@dataclass(frozen=True)
class Seeds:
    """The runs of one group: ``command`` repeats them all, ``caveat`` says if it does not quite."""

    anchor: str
    title: str
    command: str
    caveat: str
    runs: Table


@dataclass(frozen=True)
class SectionView:
    """What the page tells of one task."""

    label: str
    anchor: str
    notes: list[str]
    pictures: list[Picture]
    tables: list[tuple[str, Table]]
    comparisons: Table
    comparison_note: str
    gallery: list[Picture]
    gallery_note: str
    seeds: list[Seeds]


@dataclass(frozen=True)
class Page:
    """Everything that the templates lay out."""

    source: str
    headline: str
    alerts: list[Alert]
    problems: Table
    controls: Table
    summary: Table
    overall: Table
    overall_note: str
    scorecard: Table
    costs: Table
    sections: list[SectionView]
    provenance: Table
    provenance_note: str
    introductions: Mapping[str, str]
    method: list[str] = field(default_factory=list)


def render_html(page: Page) -> str:
    """The page as one HTML file that needs nothing beside itself."""
    environment = _environment(autoescape=True)
    style, script = (
        (importlib.resources.files("ntmbench.report") / name).read_text(encoding="utf-8")
        for name in ("report.css", "report.js")
    )
    # Only this very script may run, whatever else got into the page.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("index.html.j2").render(
        page=page, style=Markup(style), script=Markup(script), script_digest=f"sha256-{digest}"
    )


def render_markdown(page: Page) -> str:
    """The page as Markdown, with links to the pictures in ``plots/``."""
    environment = _environment(autoescape=False)
    environment.finalize = escape_markdown
    environment.filters["code"] = markdown_code
    return environment.get_template("report.md.j2").render(page=page)


def escape_markdown(value: object) -> str:
    """Text on one line without meaning to Markdown or HTML; what is marked as safe stays."""
    if isinstance(value, Markup):
        return str(value)
    return re.sub(r"([\\`*_{}\[\]<>|~#&$!])", r"\\\1", " ".join(str(value).split()))


def markdown_code(text: str) -> Markup:
    """Text as it is, in a code span that it can not end; nothing for no text."""
    longest = max((len(ticks) for ticks in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    return Markup(f"{fence} {' '.join(text.split())} {fence}" if text else "")


def slugs(labels: Iterable[str]) -> dict[str, str]:
    """A name of its own for each label's files and anchors: letters, digits and hyphens."""
    names: dict[str, str] = {}
    for label in labels:
        slug = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:60] or "unnamed"
        taken = set(names.values())
        numbered = (f"{slug}-{number}" for number in count(2))
        names[label] = slug if slug not in taken else next(n for n in numbered if n not in taken)
    return names


def _environment(*, autoescape: bool) -> Environment:
    return Environment(
        loader=PackageLoader("ntmbench.report", ""),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
