"""The text of `python -m ntmbench.search --help`: the settings of a search, and all ranges."""

from __future__ import annotations

from ntmbench import registry
from ntmbench.commands.documentation import documented
from ntmbench.commands.help import print_settings
from ntmbench.data.ranges import Choice, LogRange, Searched, declared
from ntmbench.search.settings import SearchSettings
from ntmbench.training.settings import TrainSettings

USAGE = """\
Search the settings of a model on a task that do best on validation data.

  python -m ntmbench.search task=recall model=lstm search.trials=50
  python -m ntmbench.search task=copy model=ntm search.share=0.2 search.seeds=3
  python -m ntmbench.search task=copy model=ntm search.over=[train.learning_rate]
  python -m ntmbench.search task=copy model=ntm search.workers=8 hydra/launcher=slurm

The same command goes on with a search that was interrupted. search.workers=8 starts as many
processes, with hydra/launcher=joblib on this machine, slurm or ray on a cluster, and the settings
hydra.launcher.* of sweeps. They share the trials, as do processes of the same search that are
started by hand, also on machines that share a file system.

Every other setting is that of `python -m ntmbench`; one that the command line gives is not
searched. The first trial has today's values, and ranges are widened to hold them. A model whose
sizes are searched has the width that the budget allows. Trials are not tested. All is in
<results_dir>/searches/<name>/: trials.csv, plots/, recipe/. The recipe states what the search took,
and the report of its runs shows it.
"""


def print_help() -> None:
    """Print usage, the settings of a search, and the ranges that are declared."""
    print(USAGE)
    print_settings("search.", documented(SearchSettings).values())
    print("\nRanges of training, whatever the model:")
    _print_ranges("train.", TrainSettings)
    for name in registry.model_names():
        settings = registry.model_entry(name).settings
        if declared(settings):
            print(f"\nRanges of model={name}:")
            _print_ranges("model.", settings)


def _print_ranges(prefix: str, settings: type) -> None:
    for name, values in declared(settings).items():
        print(f"  {prefix + name:<36}  {in_words(values)}")


def in_words(values: Searched) -> str:
    """A range as a reader would write it."""
    if isinstance(values, Choice):
        return ", ".join(map(str, values.values))
    return f"{values.low:g} to {values.high:g}" + (
        ", logarithmic" if isinstance(values, LogRange) else ""
    )
