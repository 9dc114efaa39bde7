"""The page as HTML and as Markdown.

Everything that comes from a run (names, settings, errors) is escaped by the templates'
environments, for HTML and for Markdown.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
import re

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ntmbench.report.page.blocks import Page

PACKAGE = "ntmbench.report.page"


def render_html(page: Page) -> str:
    """The page as one HTML file that needs nothing beside itself."""
    environment = _environment(autoescape=True)
    style, script = (
        (importlib.resources.files(PACKAGE) / name).read_text(encoding="utf-8")
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
    """Text as it is, in a code span that it cannot end; nothing for no text."""
    longest = max((len(ticks) for ticks in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    return Markup(f"{fence} {' '.join(text.split())} {fence}" if text else "")


def _environment(*, autoescape: bool) -> Environment:
    return Environment(
        loader=PackageLoader(PACKAGE, ""),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
