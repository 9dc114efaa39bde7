"""What a search has taken and found so far, as its recipe states it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import pandas as pd
from optuna.trial import FrozenTrial

from ntmbench.runs.search_record import SearchRecord
from ntmbench.search.arguments import Search

PRUNED, FAILED, FINISHED = "pruned", "failed", "finished"


def record_of(
    search: Search, trials: list[FrozenTrial], table: pd.DataFrame, found: Mapping[str, Any]
) -> SearchRecord:
    """The record of a search of which a trial has finished; ``table`` is that of its trials."""
    counts = table["state"].value_counts()
    finished, pruned, failed = (int(counts.get(s, 0)) for s in (FINISHED, PRUNED, FAILED))
    config = search.config()
    return SearchRecord(
        trials=finished + pruned,
        pruned=pruned,
        failed=failed,
        sequences={config.task.name: config.train.sequences},
        seeds=tuple(search.seeds),
        total_sequences=int(table["sequences"].sum()),
        ended=max(t.datetime_complete for t in trials if t.datetime_complete).date().isoformat(),
        command=shlex.join(["python", "-m", "ntmbench.search", *search.arguments]),
        found=dict(found),
    )


def in_words(record: SearchRecord, search: Search) -> list[str]:
    """What a search has taken, a sentence for each line."""
    trials = f"{record.trials} trial{'' if record.trials == 1 else 's'}"
    first, last = record.seeds[0], record.seeds[-1]
    seeds = f"seed {first}" if first == last else f"seeds {first} to {last}"
    (sequences,) = record.sequences.values()
    return [
        f"{trials}: {record.trials - record.pruned} finished, {record.pruned} pruned; "
        f"{record.failed} failed.",
        f"{sequences:,} training sequences each ({search.full_sequences:,} in a run) on {seeds}, "
        f"{record.total_sequences:,} in all; scored on validation data.",
    ]
