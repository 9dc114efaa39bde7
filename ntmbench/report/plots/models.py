"""How the models of a task are told apart in its pictures."""

from __future__ import annotations

import pandas as pd

from ntmbench.plotting.style import COLOURS, Look, looks
from ntmbench.report.study.study import Study


def looks_of(study: Study, runs: pd.DataFrame) -> dict[str, Look]:
    """How the models of one task are drawn: alike on all tasks, while the colours suffice.

    ``runs`` are the contestants' on the task.
    """
    everywhere = list(dict.fromkeys(study.runs.loc[~study.runs["control"], "label"]))
    return looks(
        everywhere if len(everywhere) <= len(COLOURS) else list(dict.fromkeys(runs["label"]))
    )
