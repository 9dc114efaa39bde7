"""Where the figures come from: processor, threads, versions."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from dataclasses import dataclass
from pathlib import Path

VERSIONED = ("ntmbench", "torch", "numpy", "numba")


@dataclass(frozen=True)
class Machine:
    """The machine and the software; ``load`` is the mean number of busy processes before."""

    processor: str
    cores: int
    threads: int
    load: float
    gflop_per_second: float
    system: str
    versions: dict[str, str]

    @classmethod
    def here(cls, threads: int, rate: float) -> Machine:
        """Where this runs, with so many threads and a matrix-product rate in operations/s."""
        return cls(
            processor=_processor(),
            cores=cores(),
            threads=threads,
            load=os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan"),
            gflop_per_second=rate / 1e9,
            system=f"{platform.system()} {platform.machine()}",
            versions={
                "python": platform.python_version(),
                **{name: importlib.metadata.version(name) for name in VERSIONED},
            },
        )

    def __str__(self) -> str:
        """Two lines for people."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return (
            f"{self.processor}, {self.system}: {self.threads} of {self.cores} cores used, "
            f"load before {self.load:.1f}, matrix product {self.gflop_per_second:.0f} GFLOP/s\n"
            f"{versions}"
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
