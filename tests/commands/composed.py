"""What the tests of conf/ share: its files, and the runs that are composed from them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hydra import compose

from ntmbench import conf, registry
from ntmbench.composition.composing import composing, to_run_config
from ntmbench.runs.settings import RunConfig

CONF = Path(conf.__path__[0])
FAMILIES = sorted({registry.task_class(name).family for name in registry.task_names()})


def files_of(group: str) -> list[str]:
    root = CONF / group
    return sorted(str(f.relative_to(root).with_suffix("")) for f in root.rglob("*.yaml"))


@cache
def composed(*overrides: str) -> RunConfig:
    with composing():
        return to_run_config(compose("config", overrides=list(overrides)))
