"""``hydra/launcher=ray``: cells of a sweep in chunks, as tasks of a Ray cluster.

    python -m ntmbench -m task=copy,recall seed=0,1,2 hydra/launcher=ray
    python -m ntmbench -m task=copy,recall seed=0,1,2 hydra/launcher=ray hydra.launcher.address=auto

The nodes must see the results folder, and the folder of the command, under the same paths. A cell
whose worker or node dies runs again, on whatever node has room, and goes on from its checkpoint.

Ray keeps its processes between tasks, so a task costs little, and a chunk of one cell, the default,
spreads cells best. Runs of 1.6 s each on two busy cores (Ray 2.60, load 7):

    python -m tests.clusters.campaign 80 hydra/launcher=ray hydra.launcher.cells_per_task=1
    python -m tests.clusters.campaign 80 hydra/launcher=ray hydra.launcher.cells_per_task=20
    python -m tests.clusters.campaign 1000 hydra/launcher=ray hydra.launcher.cells_per_task=20

The first has an overhead of 0.41 s a cell and the second of 0.30 s.
In the third, which took 24 minutes, all of 1,000 cells finished, each run began once, and the
driver took at most 464 MB.
"""

# Annotations are not postponed: Hydra 1.3 runs this file before it is in sys.modules, where a
# dataclass would look for their meaning.
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


@dataclass
class RaySettings:
    """Settings of the launcher, ``hydra.launcher.*``."""

    _target_: str = f"{__name__}.RayLauncher"
    #: The cluster: null starts one on this machine for the sweep, ``auto`` finds the one that
    #: ``ray start`` started here, and host:port is the address of its head.
    address: str | None = None
    #: Cells that a task runs one after the other.
    cells_per_task: int = 1
    #: CPUs and GPUs that a task asks for. A cell uses one thread, see ``threads``.
    num_cpus: float = 1.0
    num_gpus: float = 0.0
    #: Memory that a task asks for, in GiB.
    mem_gb: float = 1.0
    #: How often a cell is run again, from its checkpoint, when its worker or node is lost; -1 for
    #: any number.
    max_retries: int = 10
    #: More arguments of ``ray.init``.
    init: dict[str, Any] = field(default_factory=dict)


ConfigStore.instance().store("ray", RaySettings, group="hydra/launcher", provider="ntmbench")


class RayLauncher(Launcher):
    """Hydra's launcher on Ray."""

    def __init__(self, **settings: Any) -> None:
        """Keep the settings; they are checked when they are used."""
        self._settings = RaySettings(**settings)

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Keep what Hydra's contract hands over."""
        self._context, self._function, self._config = hydra_context, task_function, config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run all cells. How each ended stands in its note in the sweep's folder.

        Raises:
            SettingError: if the cluster does not answer or has no room for a task, or for a
                setting out of range.
            Interrupted: after SIGINT or SIGTERM, once running cells wrote their checkpoints.
        """
        from rich.console import Console

        from ntmbench.clusters.chunks import Worker
        from ntmbench.clusters.driver import numbered, run_in_chunks
        from ntmbench.clusters.ray_cluster import RESOURCES, connected
        from ntmbench.clusters.retries import Retries

        settings = self._settings
        _check(settings)
        worker = Worker.here(self._context, self._function, self._config)
        cells = numbered(job_overrides, initial_job_idx)
        room = {name: getattr(settings, name) for name in RESOURCES}
        with connected(settings.address, settings.init, room):
            from ntmbench.clusters.ray_chunks import Chunks

            chunks = Chunks(worker, room, Retries(worker.sweep, settings.max_retries))
            return run_in_chunks(
                worker.sweep, cells, settings.cells_per_task, chunks.start, Console()
            )


def _check(settings: RaySettings) -> None:
    """Refuse numbers out of range.

    Raises:
        SettingError: naming the setting.
    """
    from ntmbench.errors import check_range

    for name, low in (("cells_per_task", 1), ("max_retries", -1), ("num_gpus", 0), ("mem_gb", 0)):
        check_range(f"hydra.launcher.{name}", getattr(settings, name), low)
    check_range("hydra.launcher.num_cpus", settings.num_cpus, above=0)
