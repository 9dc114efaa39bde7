"""The main table for a paper: LaTeX with the rules of the package booktabs."""

from __future__ import annotations

from ntmbench.report.page.blocks import Cell, Table

SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    # After the end of a row a bracket would be taken for an argument.
    "[": "{[}",
    "]": "{]}",
    "\N{MINUS SIGN}": r"\textminus{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def latex_table(table: Table) -> str:
    r"""A ``tabular`` with a row per row of the table, notes small, all text escaped.

    It needs ``\usepackage{booktabs}`` and ``\usepackage{textcomp}``.
    """
    columns = "l" * 2 + "r" * (len(table.header) - 2)
    lines = [
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _row([escape_latex(name) for name in table.header]),
        r"\midrule",
        *(_row([_cell(cell) for cell in row]) for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def escape_latex(text: str) -> str:
    """Text on one line without meaning to LaTeX."""
    return "".join(SPECIAL.get(character, character) for character in " ".join(text.split()))


def _cell(cell: Cell) -> str:
    text = escape_latex(cell.text)
    return f"{text} {{\\scriptsize ({escape_latex(cell.note)})}}" if cell.note else text


def _row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"
