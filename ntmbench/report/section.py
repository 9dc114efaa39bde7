"""The contract of a section of the report, and where the sections are found.

A section is computed from the study alone. What it is made of is told as tables, which are written
as CSV, and as blocks, of which page and Markdown are laid out; the navigation follows from them. A
section in a file of its own::

    from ntmbench.report.page.blocks import Text
    from ntmbench.report.section import Section, register_section

    def blocks(study):
        yield Text(f"There are {len(study.runs)} runs.")

    register_section(Section(order=15, anchor="count", title="How many", blocks=blocks))

The suite's own lie in ``ntmbench.report.sections``. Installed packages register theirs from a
module of the entry-point group ``ntmbench.plugins``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntmbench.registry import PluginError, load_plugins

if TYPE_CHECKING:
    import pandas as pd

    from ntmbench.report.page.blocks import Block, Chapter
    from ntmbench.report.study.study import Study


def no_tables(study: Study) -> Mapping[str, pd.DataFrame]:
    """Of a section that computes none of its own."""
    return {}


@dataclass(frozen=True)
class Section:
    """A section of the report.

    Attributes:
        order: its place among the others, the least first. The suite's own stand at tens.
        anchor: names it in links; no two have the same.
        title: its heading, and its name in the navigation.
        blocks: what it shows of a study. Blocks stand under the title. A ``Chapter`` stands for
            itself, as each task does. A section that yields nothing is left out.
        tables: what is written of it, by the name of the CSV file.
    """

    order: float
    anchor: str
    title: str
    blocks: Callable[[Study], Iterable[Block | Chapter]]
    tables: Callable[[Study], Mapping[str, pd.DataFrame]] = no_tables


_sections: dict[str, Section] = {}


def register_section(section: Section) -> Section:
    """Have the report show a section.

    Raises:
        PluginError: if another has the same anchor.
    """
    if section.anchor in _sections:
        raise PluginError(f"Two sections of the report are registered as '{section.anchor}'.")
    _sections[section.anchor] = section
    return section


def all_sections() -> list[Section]:
    """The sections of the suite and of all plug-ins, in order.

    Raises:
        PluginError: if a plug-in cannot be loaded, or two sections have the same anchor.
    """
    load_plugins()
    from ntmbench.report import sections

    for module in pkgutil.iter_modules(sections.__path__, f"{sections.__name__}."):
        importlib.import_module(module.name)
    return sorted(_sections.values(), key=lambda section: (section.order, section.anchor))


def chapters_of(section: Section, study: Study) -> Iterator[Chapter]:
    """What a section shows of a study: its own chapter if it has blocks, and those it yields."""
    from ntmbench.report.page.blocks import Chapter

    own: list[Block] = []
    others: list[Chapter] = []
    for block in section.blocks(study):
        if isinstance(block, Chapter):
            others.append(block)
        else:
            own.append(block)
    if own:
        yield Chapter(section.anchor, section.title, own)
    yield from others


def tables_of(sections: Iterable[Section], study: Study) -> dict[str, pd.DataFrame]:
    """The tables of all sections, by name.

    Raises:
        PluginError: if two sections have a table of the same name.
    """
    tables: dict[str, pd.DataFrame] = {}
    for section in sections:
        for name, table in section.tables(study).items():
            if name in tables:
                raise PluginError(
                    f"Two sections of the report have a table '{name}', one of them "
                    f"'{section.anchor}'."
                )
            tables[name] = table
    return tables
