"""Sections of the report: found where they lie, and shown wherever the report shows anything."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from ntmbench.registry import PluginError
from ntmbench.report import section, sections
from ntmbench.report.build import Report, write_report
from ntmbench.report.page.blocks import Block, Chapter, Text
from ntmbench.report.section import Section, all_sections, register_section
from ntmbench.report.study.once import once
from ntmbench.report.study.study import Study, make_study
from ntmbench.runs.results import load_results
from tests.fabricated import fabricate
from tests.reporting import build

#: What a third party writes: one file, and nothing else.
FILE = '''
"""How many runs there are."""

import pandas as pd

from ntmbench.report.page.blocks import Cell, Heading, Table, Tabular, Text
from ntmbench.report.section import Section, register_section


def tables(study):
    return {"head_count": pd.DataFrame({"runs": [len(study.runs)]})}


def blocks(study):
    yield Text(f"There are <{len(study.runs)}> runs.")
    yield Heading("One by one")
    yield Tabular(Table(["run"], [[Cell(run)] for run in study.runs["run"]]))


register_section(
    Section(order=45, anchor="head-count", title="Head count", blocks=blocks, tables=tables)
)
'''


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is forgotten after it."""
    all_sections()
    monkeypatch.setattr(section, "_sections", dict(section._sections))


def written(results: Path) -> tuple[Report, str, str]:
    """The report, its page and its Markdown."""
    report = build(results)
    page = write_report(report, results / "report")
    return report, page.read_text(), page.with_name("report.md").read_text()


def test_one_file_adds_a_section_to_page_markdown_tables_and_navigation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "added"
    folder.mkdir()
    (folder / "head_count.py").write_text(FILE)
    monkeypatch.setattr(sections, "__path__", [*sections.__path__, str(folder)])
    monkeypatch.setitem(sys.modules, "ntmbench.report.sections.head_count", None)
    del sys.modules["ntmbench.report.sections.head_count"]
    for seed in (0, 1):
        fabricate(tmp_path, seed=seed)

    report, html, markdown = written(tmp_path)

    anchors = [chapter.anchor for chapter in report.page.chapters]
    assert anchors.index("copy") < anchors.index("head-count") < anchors.index("scorecard")
    (navigation,) = re.findall(r"<nav.*?</nav>", html, re.S)
    assert '<a href="#head-count">Head count</a>' in navigation
    assert '<h2 id="head-count">Head count</h2>' in html
    assert "There are &lt;2&gt; runs." in html
    assert "[Head count](#head-count)" in markdown
    assert "## Head count\n" in markdown
    assert "There are \\<2\\> runs." in markdown
    assert "### One by one\n" in markdown
    table = pd.read_csv(tmp_path / "report" / "tables" / "head_count.csv")
    assert table["runs"].to_list() == [2]


def empty(study: Study) -> Iterator[Block]:
    """Nothing."""
    yield from ()


def chapters(study: Study) -> Iterator[Chapter | Block]:
    """A paragraph, and a chapter of its own."""
    yield Chapter("second", "The second", [Text("more")])
    yield Text("first")


def test_a_section_without_blocks_is_left_out_and_chapters_follow_their_section(
    tmp_path: Path,
) -> None:
    register_section(Section(order=1, anchor="nothing", title="Nothing", blocks=empty))
    register_section(Section(order=2, anchor="first", title="The first", blocks=chapters))
    fabricate(tmp_path)
    report, html, markdown = written(tmp_path)
    shown = [(chapter.anchor, chapter.title) for chapter in report.page.chapters]
    assert shown[:2] == [("first", "The first"), ("second", "The second")]
    assert "Nothing" not in html
    assert "Nothing" not in markdown


def test_what_several_sections_ask_is_computed_once_for_each_study(tmp_path: Path) -> None:
    asked: list[Study] = []

    @once
    def runs(study: Study) -> int:
        """How many there are."""
        asked.append(study)
        return len(study.runs)

    fabricate(tmp_path)
    first, second = (make_study(load_results(tmp_path), tmp_path) for _ in range(2))
    assert [runs(study) for study in (first, second, first, second)] == [1] * 4
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("room", "above"),
    [("page", ("study", "sections", "section")), ("study", ("sections", "section"))],
)
def test_rooms_know_nothing_of_those_above_them(room: str, above: tuple[str, ...]) -> None:
    """The page is laid out without knowing what of, and computed without knowing what for."""
    files = sorted((Path(section.__file__).parent / room).glob("*.py"))
    assert len(files) > 3
    for file in files:
        found = re.findall(r"^\s*from ntmbench\.report\.(\w+)", file.read_text(), re.M)
        assert not set(found) & set(above), file


def test_to_register_a_section_loads_no_statistics() -> None:
    """A plug-in that brings one is imported by every command."""
    code = (
        "import sys, ntmbench.report.section; "
        "sys.exit(bool({'pandas', 'scipy', 'matplotlib', 'jinja2'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_two_sections_of_one_name_are_refused() -> None:
    with pytest.raises(PluginError, match="Two sections of the report are registered as 'costs'"):
        register_section(Section(order=1, anchor="costs", title="Costs", blocks=empty))


def test_two_tables_of_one_name_are_refused(tmp_path: Path) -> None:
    def tables(study: Study) -> dict[str, pd.DataFrame]:
        return {"summary": study.runs}

    register_section(Section(order=1, anchor="other", title="Other", blocks=empty, tables=tables))
    fabricate(tmp_path)
    with pytest.raises(PluginError, match="a table 'summary'"):
        build(tmp_path)


def test_every_chapter_is_in_the_navigation(tmp_path: Path) -> None:
    for task in ("copy", "recall"):
        fabricate(tmp_path, task, tested={6: 0})
        fabricate(tmp_path, task, "lstm", state="diverged")
    report, html, _ = written(tmp_path)
    (navigation,) = re.findall(r"<nav.*?</nav>", html, re.S)
    named = re.findall(r'href="#([^"]+)"', navigation)
    assert named == [chapter.anchor for chapter in report.page.chapters]
    assert named == re.findall(r'<h2 id="([^"]+)"', html)
    assert {"problems", "summary", "overall", "copy", "recall", "method"} <= set(named)
