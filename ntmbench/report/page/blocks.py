"""What the page is made of: cells and tables, blocks, and the chapters that they stand in.

A block says what there is to see, and not how: ``render`` lays it out as HTML and as Markdown, by
the macro that goes by its ``form``.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import ClassVar

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
            values of different groups do not compare: errors of two tasks, for instance.
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
class Block:
    """Anything that stands in a chapter."""

    #: The macro that lays it out, in ``blocks.html.j2`` and ``blocks.md.j2``.
    form: ClassVar[str]


@dataclass(frozen=True)
class Text(Block):
    """A paragraph. ``kind`` is faint, bad or nothing; only the page has it if ``page_only``."""

    form = "text"
    text: str
    kind: str = ""
    page_only: bool = False


@dataclass(frozen=True)
class Heading(Block):
    """A heading below that of the chapter."""

    form = "heading"
    title: str


@dataclass(frozen=True)
class Bullets(Block):
    """A list of paragraphs."""

    form = "bullets"
    items: Sequence[str]


@dataclass(frozen=True)
class Tabular(Block):
    """A table; with a title it is shut until the reader opens it. ``kind`` is for the styles."""

    form = "tabular"
    table: Table
    title: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Pictures(Block):
    """Pictures beside one another; ``large`` ones have more room."""

    form = "pictures"
    pictures: Sequence[Picture]
    large: bool = False


@dataclass(frozen=True)
class Runs(Block):
    """The runs of one model on one task, shut until the reader opens them.

    ``command`` repeats them all, ``caveat`` says if it does not quite. Cells link to ``anchor``.
    """

    form = "runs"
    anchor: str
    title: str
    command: str
    caveat: str
    table: Table


@dataclass(frozen=True)
class Chapter:
    """Blocks under a heading of their own, which the navigation names."""

    anchor: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Alert:
    """What must be known before any number is read; ``bad`` ones say that something is wrong."""

    text: str
    bad: bool = False


@dataclass(frozen=True)
class Page:
    """Everything that the templates lay out.

    Attributes:
        source: the results folder.
        headline: how many runs there are, and in which state.
        alerts: what must be known first.
        chapters: in order.
    """

    source: str
    headline: str
    alerts: Sequence[Alert]
    chapters: Sequence[Chapter]

    @property
    def pictures(self) -> list[Picture]:
        """All pictures, in order."""
        return [
            picture
            for chapter in self.chapters
            for block in chapter.blocks
            if isinstance(block, Pictures)
            for picture in block.pictures
        ]
