"""`python -m ntmbench.report`, end to end, over runs that nobody trained."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from ntmbench.data.literature import library
from ntmbench.report.__main__ import main
from ntmbench.report.page.render import escape_markdown, markdown_code
from ntmbench.report.page.slugs import slugs
from tests.fabricated import fabricate

PICTURES = [
    *("curve-errors", "curve-loss-bits", "survival", "seeds", "length-errors"),
    "length-exact-match",
]
TABLES = [
    *("summary", "overall", "lengths", "variations", "curves", "survival", "positions"),
    *("comparisons", "scorecard", "runs", "problems", "provenance"),
]
HOSTILE = "Boom: <script>alert('x')</script> | `a` _b_ [c](http://evil.example)\n# d & \"e\""


def report(results: Path) -> tuple[str, str]:
    """Write the report in this process; returns index.html and report.md."""
    assert main([str(results)]) == 0
    folder = results / "report"
    return (folder / "index.html").read_text(), (folder / "report.md").read_text()


def table(results: Path, name: str) -> pd.DataFrame:
    """One of the report's tables."""
    return pd.read_csv(results / "report" / "tables" / f"{name}.csv")


class Outline(HTMLParser):
    """The elements of a page, its addresses, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """Five seeds of the NTM on copy: three solve it, one falls apart, one diverged."""
    for seed, (wrong, tested, state) in enumerate(
        [
            ([80, 0, 0, 0], {10: 0, 20: 0, 50: 1}, "finished"),
            ([80, 9, 0, 0], {10: 0, 20: 0, 50: 3}, "finished"),
            ([80, 0, 9, 0], {10: 0, 20: 2, 50: 4}, "finished"),
            ([80, 0, 0, 9], {10: 0, 20: 8, 50: 90}, "finished"),
            ([80, 70], None, "diverged"),
        ]
    ):
        fabricate(tmp_path, seed=seed, errors=wrong, tested=tested, state=state, parameters=100 + 0)
    return tmp_path


def test_the_command_writes_everything_and_says_where(seeds: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "ntmbench.report"],
        cwd=_as_results(seeds),
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == (
        "5 runs of 1 model on 1 task: 4 finished, 1 diverged.\nresults/report/index.html\n"
    )
    assert ended.stderr == ""
    written = seeds / "results" / "report"
    assert {path.relative_to(written).as_posix() for path in written.rglob("*.*")} == {
        "index.html",
        "report.md",
        "table.tex",
        *(f"plots/copy-{name}.svg" for name in PICTURES),
        *(f"tables/{name}.csv" for name in TABLES),
    }


def _as_results(folder: Path) -> Path:
    (folder / "results").mkdir()
    (folder / "runs").rename(folder / "results" / "runs")
    return folder


def test_the_summary_counts_every_run(seeds: Path) -> None:
    report(seeds)
    (row,) = table(seeds, "summary").to_dict("records")
    assert (row["section"], row["label"], row["runs"]) == ("copy", "ntm", 5)
    assert (row["finished"], row["diverged"], row["failed"]) == (4, 1, 0)
    assert (row["solved"], row["reached"]) == (3, 4)
    # Solved from 1000, 2000 and 3000; the fourth and the diverged one not within 3000.
    assert row["sequences_to_solve"] == 3000
    assert row["sequences_to_solve_high"] == float("inf")
    assert row["solved_share"] == 0.6
    assert 0 < row["solved_share_low"] < 0.6 < row["solved_share_high"] < 1
    # Four were tested, exact to 20 and to 10 at most: of the two in the middle the lower counts.
    assert row["evaluated"] == 4
    assert (row["effective_90"], row["effective_90_low"], row["effective_90_high"]) == (10, 10, 20)
    # Of 0, 0, 2 and 8 wrong bits at length 20 the middle half is 0 and 2.
    assert (row["length"], row["errors"]) == (20, 1)
    assert row["errors_low"] <= 1 <= row["errors_high"]
    assert (row["parameters"], row["sequences_per_second"]) == (100, 500)
    assert row["seeds"] == "0 1 2 3 4"


def test_scores_over_length_are_medians_and_ranges_of_what_was_evaluated(seeds: Path) -> None:
    html, _ = report(seeds)
    lengths = table(seeds, "lengths").set_index("length")
    assert lengths["evaluated"].to_list() == [4, 4, 4]
    assert lengths["runs"].to_list() == [5, 5, 5]
    assert lengths["errors_median"].to_list() == [0, 1, 3.5]
    assert lengths["errors_min"].to_list() == [0, 0, 1]
    assert lengths["errors_max"].to_list() == [0, 8, 90]
    assert lengths["exact_match_median"].to_list() == [1, 0.5, 0]
    assert lengths["chance_errors"].to_list() == [40, 80, 200]
    text = Outline(html).text
    assert "at length 20" in text  # the longest within training
    assert "3.50" in text
    assert "4 of 5 tested" in text


def test_curves_are_medians_over_seeds_with_diverged_ones_in_them(seeds: Path) -> None:
    report(seeds)
    curves = table(seeds, "curves")
    wrong = curves[curves["metric"] == "errors"]
    assert wrong["sequences"].to_list() == [0, 1000, 2000, 3000]
    assert wrong["runs"].to_list() == [5, 5, 5, 5]
    assert wrong["median"].to_list() == [80, 0, 0, 0]
    assert wrong["high"].to_list() == [80, 9, 9, 9]


def test_runs_without_numbers_are_counted_and_shown_with_their_reason(tmp_path: Path) -> None:
    fabricate(tmp_path, seed=0, tested={20: 0})
    fabricate(tmp_path, seed=1, state="failed", error="OSError: no space left", errors=[80])
    fabricate(tmp_path, seed=2, state="diverged", error="No finite loss at step 7.")
    fabricate(tmp_path, seed=3, state="running", errors=[80, 0])
    broken = tmp_path / "runs" / "broken"
    broken.mkdir()
    (broken / "status.json").write_text("{")
    html, markdown = report(tmp_path)
    problems = table(tmp_path, "problems")
    assert problems["outcome"].to_list() == ["failed", "diverged", "interrupted", "unreadable"]
    (row,) = table(tmp_path, "summary").to_dict("records")
    assert (row["runs"], row["solved"], row["interrupted"]) == (4, 1, 1)
    text = Outline(html).text
    for page in (text, markdown.replace("\\", "")):
        assert "Not finished or not readable (4)" in page
        assert "OSError: no space left" in page
        assert "No finite loss at step 7." in page
        assert "1,000 of 3,000" in page
        assert "broken" in page
        assert "1 of 4 tested" in page
        # The interrupted run may still solve it.
        assert "1 of 4" in page


def test_unsolved_runs_are_shown_as_more_than_their_budget(tmp_path: Path) -> None:
    fabricate(tmp_path, errors=[80, 70, 60, 50])
    html, _ = report(tmp_path)
    text = Outline(html).text
    assert "> 3,000" in text
    assert "0 of 1" in text
    assert "not tested" in text


def test_a_folder_with_an_unreadable_table_is_listed(tmp_path: Path) -> None:
    fabricate(tmp_path, seed=0, tested={20: 0})
    for seed, content in ((1, "a,b\n1,2\n"), (2, ""), (3, "step\n\0\xff")):
        folder = fabricate(tmp_path, seed=seed)
        folder.metrics.write_text(content, encoding="latin-1")
    html, _ = report(tmp_path)
    assert len(table(tmp_path, "problems")) == 3
    assert len(table(tmp_path, "runs")) == 1
    assert html.count('class="state unreadable"') == 3


def test_a_folder_without_a_status_is_listed(tmp_path: Path) -> None:
    """It may be a run that was killed at once, or a copy that is not whole."""
    fabricate(tmp_path)
    (tmp_path / "runs" / "half").mkdir()
    report(tmp_path)
    (row,) = table(tmp_path, "problems").to_dict("records")
    assert row["run"] == str(tmp_path / "runs" / "half")
    assert (row["outcome"], row["error"]) == ("unreadable", "no status.json")


def test_a_link_to_itself_is_told_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = tmp_path / "results"
    link.symlink_to(link)
    assert main([str(link)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"ntmbench: The results in {link} cannot be read: ")


def test_no_cell_of_a_table_is_a_formula(tmp_path: Path) -> None:
    fabricate(tmp_path, state="failed", error="=cmd|' /C calc'!A0")
    report(tmp_path)
    (row,) = table(tmp_path, "problems").to_dict("records")
    assert row["error"] == "'=cmd|' /C calc'!A0"


def test_a_group_may_have_runs_of_different_sizes(tmp_path: Path) -> None:
    """Written by two versions of a model; their middle is no whole number."""
    for seed, parameters in enumerate((67_000, 67_001)):
        fabricate(tmp_path, seed=seed, parameters=parameters)
    report(tmp_path)
    assert table(tmp_path, "summary")["parameters"].to_list() == [67_000]


@pytest.mark.usefixtures("illustrated")
def test_nothing_but_unreadable_folders_is_still_a_report(tmp_path: Path) -> None:
    (tmp_path / "runs" / "x").mkdir(parents=True)
    (tmp_path / "runs" / "x" / "status.json").write_text("[]")
    html, _ = report(tmp_path)
    assert "status.json holds no named values" in html


@pytest.mark.usefixtures("illustrated")
def test_hostile_text_stays_text(tmp_path: Path) -> None:
    fabricate(
        tmp_path,
        state="failed",
        error=HOSTILE,
        model_settings={"<img src=x onerror=alert(1)>": "<b>$x^{$</b>"},
        tested={20: 1},
    )
    fabricate(tmp_path, model_settings={"other": "|"}, tested={20: 1})
    html, markdown = report(tmp_path)
    outline = Outline(html)
    assert outline.tags.count("script") == 1  # the page's own
    assert "b" not in outline.tags
    assert HOSTILE in outline.text
    cited = tuple(source.address for source in library().sources.values())
    assert all(a.startswith(("#", "../runs/", *cited)) for a in outline.addresses)
    assert "<script>" not in markdown
    assert all(link.startswith(cited) for link in re.findall(r"(?<!\\)\]\((http[^)]*)", markdown))
    rows = [line for line in markdown.splitlines() if "Boom" in line]
    assert len(rows) == 1
    assert len(re.findall(r"(?<!\\)\|", rows[0])) == 5  # the four columns of its table


def test_markdown_is_escaped_on_one_line() -> None:
    assert escape_markdown("a_b*\n# <i>|") == r"a\_b\* \# \<i\>\|"


@pytest.mark.parametrize(
    ("text", "code"), [("a_b *c*", "` a_b *c* `"), ("a `` b", "``` a `` b ```"), ("", "")]
)
def test_code_stays_as_it_is_in_markdown(text: str, code: str) -> None:
    assert markdown_code(text) == code


def test_every_section_has_a_file_name_of_its_own() -> None:
    names = slugs(["copy", "Copy!", "copy (bits=4)", "copy-2", "任务", "x" * 500])
    assert len(set(names.values())) == 6
    assert all(re.fullmatch(r"[a-z0-9-]{1,63}", name) for name in names.values())


@pytest.mark.usefixtures("illustrated")
def test_the_page_needs_nothing_beside_itself(seeds: Path) -> None:
    html, markdown = report(seeds)
    outline = Outline(html)
    assert outline.tags.count("figure") == len(PICTURES)
    assert not {"link", "iframe", "img"} & set(outline.tags)
    assert "default-src 'none'" in html
    assert not re.search(r"url\((?!#)", html)
    assert "@import" not in html
    assert re.findall(r"!\[[^]]*\]\((.*?)\)", markdown) == [
        f"plots/copy-{name}.svg" for name in PICTURES
    ]


def test_links_lead_to_the_runs(tmp_path: Path) -> None:
    fabricate(tmp_path)
    html, _ = report(tmp_path)
    (link,) = (address for address in Outline(html).addresses if address.startswith(".."))
    assert (tmp_path / "report" / link).resolve().exists()


@pytest.mark.usefixtures("illustrated")
def test_solved_is_not_defined_where_even_the_optimum_errs(tmp_path: Path) -> None:
    fabricate(tmp_path, task="ngrams", errors=[97, 60], tested={200: 60})
    html, _ = report(tmp_path)
    (row,) = table(tmp_path, "summary").to_dict("records")
    assert pd.isna(row["solved"])
    assert pd.isna(row["sequences_to_solve"])
    (at,) = table(tmp_path, "lengths").to_dict("records")
    assert 100 < at["optimum_loss_bits"] < 160
    assert "not defined" in html
    assert f"<td>{at['optimum_loss_bits']:.1f}</td>" in html


def test_a_task_that_is_not_installed_is_reported_without_its_levels(tmp_path: Path) -> None:
    folder = fabricate(tmp_path, tested={20: 1})
    status = folder.read_status()
    status["settings"]["task"] = {"name": "juggling", "version": 1, "balls": 3}
    folder.write_status(status)
    html, _ = report(tmp_path)
    assert "task=juggling is not a choice" in html
    assert table(tmp_path, "summary")["task"].to_list() == ["juggling"]


def test_another_version_of_a_task_is_not_compared_with_its_levels(tmp_path: Path) -> None:
    folder = fabricate(tmp_path, tested={20: 1})
    status = folder.read_status()
    status["settings"]["task"]["version"] = 99
    folder.write_status(status)
    html, _ = report(tmp_path)
    assert "version 99" in html


@pytest.mark.usefixtures("illustrated")
def test_a_report_can_be_written_again(seeds: Path) -> None:
    first = report(seeds)
    assert report(seeds) == first


def test_the_folder_of_the_runs_stands_for_that_of_the_results(
    seeds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main([str(seeds / "runs")]) == 0
    monkeypatch.chdir(seeds / "runs")
    assert main(["."]) == 0
    assert (seeds / "report" / "index.html").exists()
    assert not (seeds / "runs" / "report").exists()
    assert table(seeds, "problems")["outcome"].to_list() == ["diverged"]


@pytest.mark.parametrize("make", ["missing", "empty", "file"])
def test_a_folder_without_runs_is_refused(
    tmp_path: Path, make: str, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results"
    if make == "empty":
        results.mkdir()
    if make == "file":
        results.write_text("")
    before = sorted(tmp_path.rglob("*"))
    assert main([str(results)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("ntmbench: ")
    assert err.count("\n") == 1
    assert str(results) in err
    assert ("is a file" in err) == (make == "file")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_target_that_can_not_be_written_is_refused(
    seeds: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (seeds / "report").write_text("in the way")
    assert main([str(seeds)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "cannot be written" in err
    assert (seeds / "report").read_text() == "in the way"


def test_unknown_arguments_are_refused() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--colour"])
    assert ended.value.code == 2
