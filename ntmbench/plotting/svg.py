"""Figures as SVG: small and sharp, and inside the page in the page's own colours and fonts."""

from __future__ import annotations

import io
import re

from matplotlib import rc_context
from matplotlib.figure import Figure

from ntmbench.plotting.style import COLOURS, INK, MUTED, PAPER

#: Dots per inch of what is kept as pixels (heat maps).
DPI = 200

#: Colours that the page's style sheet has a name for, for light and for dark.
NAMED = {
    **{colour.lower(): f"var(--series-{place})" for place, colour in enumerate(COLOURS)},
    INK: "var(--text)",
    MUTED: "var(--muted)",
    PAPER: "var(--page)",
}


def svg(figure: Figure, name: str) -> str:
    """The figure as an SVG document; equal figures of one ``name`` give equal text.

    Text stays text. ``name`` sets its identifiers apart from those of the page's other figures.
    """
    buffer = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", dpi=DPI, metadata={"Date": None, "Creator": None})
    return re.sub(r' d="[^"]*"', _rounded, buffer.getvalue())


def inline(document: str, title: str) -> str:
    """The document as an element of an HTML page, described by ``title`` (which is escaped).

    Its colours become those of the page's style sheet.
    """
    element = document[document.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    # matplotlib numbers its groups; in a page with several figures the numbers would collide.
    element = re.sub(r' id="[A-Za-z0-9.-]+_\d+"', "", element)
    element = re.sub(r'(<svg[^>]*?) (?:width="[^"]*pt") (?=[^>]*>)', r"\1 ", element, count=1)
    element = re.sub(r'(<svg[^>]*?) height="[^"]*pt"', r"\1", element, count=1)
    for colour, variable in NAMED.items():
        element = element.replace(colour, variable)
    return element.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)


def _rounded(path: re.Match[str]) -> str:
    """A path without digits that cannot be seen; a mark is small and needs one more."""
    digits = 1 if len(path[0]) > 300 else 2
    return re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.{digits}f}", path[0])
