"""The settings of a search."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ntmbench.errors import SettingError, check_choice, check_range

SAMPLERS = ("tpe", "random")
#: Reported runs have the seeds below.
FIRST_SEED = 101


@dataclass(frozen=True)
class SearchSettings:
    """How settings are searched for."""

    #: Trials after which the search ends: those that are trained to the end or pruned. Failed and
    #: interrupted ones are not counted.
    trials: int = 50
    #: Seeds on which each trial is trained, one after the other; its score is their mean. They
    #: begin at the run's seed, which is 101 or more in a search.
    seeds: int = 1
    #: Share of train.sequences that a trial is trained on, with each seed.
    share: float = 1.0
    #: What is searched, as in [train.learning_rate,model.layers]; empty for every setting that has
    #: a range and is not on the command line.
    over: list[str] = field(default_factory=list)
    #: What chooses the next trial: tpe (from the trials so far) or random.
    sampler: str = "tpe"
    #: Share of a training before which no trial is pruned. Later a trial ends if its learning curve
    #: is worse than the median of the others' at that place, and after a seed if its mean score so
    #: far is; 1 prunes none.
    prune_after: float = 0.25
    #: Processes that run trials at the same time, which hydra/launcher=joblib, slurm or ray starts.
    #: With another number a search is the same one.
    workers: int = 1
    #: Name of the search and its folder; empty for one made from its settings.
    name: str = ""

    def __post_init__(self) -> None:
        """Check names and ranges."""
        check_range("search.trials", self.trials, 1)
        check_range("search.seeds", self.seeds, 1)
        check_range("search.share", self.share, high=1, above=0)
        check_choice("search.sampler", self.sampler, SAMPLERS)
        check_range("search.prune_after", self.prune_after, 0, 1)
        check_range("search.workers", self.workers, 1)
        if self.name and not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", self.name):
            raise SettingError(
                f"search.name={self.name!r} cannot name a folder. "
                "Allowed: letters, digits, and any of _.- after the first."
            )
