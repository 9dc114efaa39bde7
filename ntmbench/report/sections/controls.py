"""Controls: what must solve a task, and what must not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ntmbench.report.page.blocks import Block, Cell, Table, Tabular
from ntmbench.report.section import Section, register_section
from ntmbench.report.study.controls import ControlCheck, check_controls
from ntmbench.report.study.study import Study


def blocks(study: Study) -> Iterator[Block]:
    """Whether each came out as it must."""
    if checks := check_controls(study):
        yield Tabular(view(checks))


def view(checks: Sequence[ControlCheck]) -> Table:
    """A row per task, a column per control."""
    names = list(dict.fromkeys(check.control for check in checks))
    of_tasks: dict[str, dict[str, ControlCheck]] = {}
    for check in checks:
        of_tasks.setdefault(check.task, {})[check.control] = check
    rows = [
        [
            Cell(task),
            *(
                Cell(
                    by_name[name].verdict,
                    note=by_name[name].text,
                    kind="bad" if by_name[name].failed else "",
                )
                for name in names
            ),
        ]
        for task, by_name in of_tasks.items()
    ]
    return Table(["task", *names], rows)


register_section(Section(order=60, anchor="controls", title="Controls", blocks=blocks))
