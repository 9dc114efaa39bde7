"""``hydra/launcher=slurm``: the cells of a sweep as jobs of Slurm, see ``ntmbench.clusters.slurm``.

Its settings are those of hydra-submitit-launcher, with defaults of the suite's own, and
``cells_per_job``. The extra ``cluster`` brings it; without it there is no such launcher.

A job costs what Slurm and the start of Python take, so short cells belong in chunks. On a Slurm on
loopback with two processors that had other work too:

    python -m tests.clusters.campaign 40 hydra/launcher=slurm hydra.launcher.cells_per_job=1
    python -m tests.clusters.campaign 40 hydra/launcher=slurm hydra.launcher.cells_per_job=20
    python -m tests.clusters.campaign 1000 hydra/launcher=slurm hydra.launcher.cells_per_job=50

The first has an overhead of 6.3 s a cell and the second of 0.17 s. In the third, which took 13
minutes, all of 1,000 cells finished, each was trained once, and the driver took 390 MB.
"""

# Annotations are not postponed: Hydra 1.3 runs this file before it is in sys.modules, where a
# dataclass would look for their meaning.
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class SlurmLauncher(Launcher):
    """Runs chunks of cells as an array of Slurm jobs."""

    def __init__(self, **settings: Any) -> None:
        """Take the settings of ``SlurmSettings``."""
        self._settings = settings

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what runs a cell, from Hydra."""
        self._context, self._function, self._config = hydra_context, task_function, config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> list[JobReturn]:
        """Run all cells; raise UserError if Slurm takes no job with these settings."""
        from ntmbench.clusters.chunks import Worker
        from ntmbench.clusters.driver import numbered
        from ntmbench.clusters.slurm import launch

        worker = Worker.here(self._context, self._function, self._config)
        return launch(worker, numbered(job_overrides, initial_job_idx), self._settings)


if find_spec("hydra_plugins.hydra_submitit_launcher"):
    from hydra_plugins.hydra_submitit_launcher.config import SlurmQueueConf

    @dataclass
    class SlurmSettings(SlurmQueueConf):
        """Submitit's settings, as they suit runs of one thread that write checkpoints."""

        _target_: str = f"{SlurmLauncher.__module__}.{SlurmLauncher.__qualname__}"
        #: Scripts, pickles and output of the jobs. Pickles run code where they are read, so they
        #: are not kept among the results. All nodes must see the folder.
        submitit_folder: str = (
            "${oc.env:XDG_CACHE_HOME,${oc.env:HOME}/.cache}/ntmbench/slurm/"
            "${now:%Y-%m-%d_%H-%M-%S-%f}/%A"
        )
        #: What the name of its jobs begins with.
        name: str = "ntmbench"
        #: Cells that run one after the other in a job; 0 makes as many jobs as may run at once.
        cells_per_job: int = 0
        #: Jobs that may run at once.
        array_parallelism: int = 256
        cpus_per_task: int = 1
        mem_gb: int = 3
        #: A job that runs into this limit is queued again, and goes on from its checkpoint.
        timeout_min: int = 240
        #: How often that may happen to a job.
        max_num_timeout: int = 100
        #: Seconds before the limit at which runs write their checkpoints.
        signal_delay_s: int = 120
        stderr_to_stdout: bool = True

    ConfigStore.instance().store(
        "slurm", SlurmSettings, group="hydra/launcher", provider="ntmbench"
    )
