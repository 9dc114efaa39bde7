"""What somebody found in the runs, told in ``findings.md`` of the results folder.

The file is Markdown, of which headings, paragraphs, lists and tables are laid out. Everything in it
is shown as text: code marks are dropped, links are reduced to their words, HTML is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from ntmbench.errors import UserError
from ntmbench.report.page.blocks import Block, Bullets, Cell, Heading, Table, Tabular, Text
from ntmbench.report.section import Section, register_section
from ntmbench.report.study.study import Study

FILE = "findings.md"


def blocks(study: Study) -> Iterator[Block]:
    """The file's blocks; none where there is no such file.

    Raises:
        UserError: if the file cannot be read.
    """
    path = study.source / FILE
    if not path.exists():
        return
    try:
        written = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The findings in {path} cannot be read: {error}") from error
    yield from blocks_of(written)


def blocks_of(written: str) -> Iterator[Block]:
    """The blocks of a Markdown text; its title is left out, since the section has one."""
    for filled, group in groupby(written.splitlines(), key=lambda line: bool(line.strip())):
        lines = [line.strip() for line in group]
        if not filled or lines[0].startswith("# "):
            continue
        if lines[0].startswith("#"):
            yield Heading(plain(lines[0].lstrip("#")))
            lines = lines[1:]
        if not lines:
            continue
        if is_table(lines):
            yield Tabular(table_of(lines))
        elif lines[0].startswith("- "):
            yield Bullets(items_of(lines))
        else:
            yield Text(plain(" ".join(lines)))


def is_table(lines: Sequence[str]) -> bool:
    """Whether a header, a rule and rows of as many cells stand there."""
    if len(lines) < 2 or not all(line.startswith("|") for line in lines):
        return False
    rule = cells_of(lines[1])
    return all(re.fullmatch(r":?-+:?", cell) for cell in rule) and all(
        len(cells_of(line)) == len(rule) for line in lines
    )


def table_of(lines: Sequence[str]) -> Table:
    """The table of such lines."""
    header, _, *rows = (cells_of(line) for line in lines)
    return Table(
        [plain(name) for name in header], [[Cell(plain(cell)) for cell in row] for row in rows]
    )


def items_of(lines: Sequence[str]) -> list[str]:
    """The items of a list; a line without a dash goes on with the item above it."""
    items: list[list[str]] = []
    for line in lines:
        if line.startswith("- "):
            items.append([line.removeprefix("- ")])
        else:
            items[-1].append(line)
    return [plain(" ".join(item)) for item in items]


def cells_of(line: str) -> list[str]:
    """The cells of a row of a table."""
    return [cell.strip() for cell in line.removeprefix("|").removesuffix("|").split("|")]


def plain(written: str) -> str:
    """Text without code marks, and with the words of its links alone."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", written.replace("`", "")).strip()


register_section(Section(order=35, anchor="findings", title="Findings", blocks=blocks))
