"""The origin of the figures: processor, threads, versions."""

from __future__ import annotations

import math
import os
import platform
from dataclasses import dataclass
from pathlib import Path

from ntmbench.runs.provenance import versions


@dataclass(frozen=True)
class Machine:
    """The machine and the software.

    ``load`` is the mean number of busy processes in the minute before. ``gflop_per_second`` is the
    best rate of a matrix product, in 1e9 operations per second, NaN until it is measured.
    ``processor_time`` says that times are the processor's, not the wall clock's.
    """

    processor: str
    cores: int
    threads: int
    load: float
    system: str
    versions: dict[str, str]
    gflop_per_second: float = math.nan
    processor_time: bool = False

    @classmethod
    def here(cls, threads: int, *, processor_time: bool = False) -> Machine:
        """The machine at hand, with so many threads in use."""
        return cls(
            processor=_processor(),
            cores=cores(),
            threads=threads,
            load=os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan,
            system=f"{platform.system()} {platform.machine()}",
            versions=versions(),
            processor_time=processor_time,
        )

    @property
    def busy(self) -> bool:
        """Whether the machine was so busy with other things that no figure can be trusted."""
        return self.load > self.cores / 2 and not self.processor_time

    def __str__(self) -> str:
        """Two lines for people, and a third on what the times are, if that needs saying."""
        software = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        warning = "\nThe machine is busy with other things: most times are too long."
        clock = "\nTimes are the processor's, not the wall clock's."
        return (
            f"{self.processor}, {self.system}: {self.threads} of {self.cores} cores used, "
            f"load before {self.load:.1f}, matrix product {self.gflop_per_second:.0f} GFLOP/s\n"
            f"{software}{warning * self.busy}{clock * self.processor_time}"
        )


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
