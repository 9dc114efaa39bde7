"""Findings: a results folder's own text, shown as a section and as nothing but text."""

from __future__ import annotations

from pathlib import Path

import pytest

from ntmbench.errors import UserError
from ntmbench.report.build import write_report
from ntmbench.report.page.blocks import Bullets, Cell, Heading, Table, Tabular, Text
from ntmbench.report.sections.findings import FILE, blocks_of
from tests.fabricated import fabricate
from tests.reporting import build

WRITTEN = """# Findings

What was found, in two
lines.

## What `copy` needs
It needs [memory](report/report.md).

| setting | errors |
|---|---:|
| `word_size=8` | 0 |

- first
  and on
- second
"""


def test_headings_paragraphs_tables_and_lists_are_laid_out() -> None:
    assert list(blocks_of(WRITTEN)) == [
        Text("What was found, in two lines."),
        Heading("What copy needs"),
        Text("It needs memory."),
        Tabular(Table(["setting", "errors"], [[Cell("word_size=8"), Cell("0")]])),
        Bullets(["first and on", "second"]),
    ]


@pytest.mark.parametrize("broken", ["| a | b |\n| 1 | 2 |", "| a | b |\n|---|---|\n| 1 |", "| a"])
def test_what_is_no_table_is_a_paragraph(broken: str) -> None:
    assert list(blocks_of(broken)) == [Text(" ".join(broken.splitlines()))]


def test_findings_are_a_section_of_escaped_text(tmp_path: Path) -> None:
    fabricate(tmp_path)
    (tmp_path / FILE).write_text(WRITTEN + "\n<script>alert(1)</script> {{ 1 + 1 }}\n")
    page = write_report(build(tmp_path), tmp_path / "report")
    html, markdown = page.read_text(), page.with_name("report.md").read_text()
    assert '<a href="#findings">Findings</a>' in html
    assert "<h3>What copy needs</h3>" in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 1 + 1 }}" in html
    assert "| word\\_size=8 | 0 |" in markdown
    assert "\\<script\\>" in markdown


def test_without_findings_there_is_no_section(tmp_path: Path) -> None:
    fabricate(tmp_path)
    assert "findings" not in {chapter.anchor for chapter in build(tmp_path).page.chapters}


def test_findings_that_are_no_text_are_refused(tmp_path: Path) -> None:
    fabricate(tmp_path)
    (tmp_path / FILE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"findings\.md cannot be read"):
        build(tmp_path)


def test_the_findings_of_the_campaign_are_laid_out_whole() -> None:
    written = (Path(__file__).parents[2] / "results" / "reference" / FILE).read_text()
    blocks = list(blocks_of(written))
    assert sum(isinstance(block, Heading) for block in blocks) == written.count("\n## ")
    assert sum(isinstance(block, Tabular) for block in blocks) == written.count("\n|---")
    shown = " ".join(block.text for block in blocks if isinstance(block, Text))
    assert not set("|`") & set(shown)
