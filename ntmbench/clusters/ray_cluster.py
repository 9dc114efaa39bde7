"""A connection to a Ray cluster, or one of this machine's own for as long as it is needed."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ntmbench.composition.composing import first_line
from ntmbench.errors import SettingError

#: What Ray is to leave out, unless the user's environment says otherwise: what it would send to its
#: makers, the merging of lines that look alike, and colours.
ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0", "RAY_COLOR_PREFIX": "0"}
GIB = 2**30
#: What Ray calls the room that a task asks for, and in which unit it counts it.
RESOURCES = {"num_cpus": ("CPU", 1), "num_gpus": ("GPU", 1), "mem_gb": ("memory", GIB)}
#: Bytes that processes share on this machine. Cells share a few hundred KB; Ray would take a third
#: of the memory.
SHARED = 100 * 2**20
#: Seconds in which a cluster's address must answer. Ray itself tries for minutes.
PATIENCE = 10.0
#: Seconds that the last lines of the cells take to arrive.
LAST_LINES = 1.0


@contextmanager
def connected(
    address: str | None, arguments: Mapping[str, Any], room: Mapping[str, float]
) -> Iterator[None]:
    """Within the context, Ray runs tasks on a cluster, or on this machine if there is no address.

    What is started here ends with the context.

    Args:
        address: the cluster's.
        arguments: more arguments of ``ray.init``.
        room: what a task will ask of its node, by the names in RESOURCES.

    Raises:
        SettingError: if the cluster does not answer, Ray refuses an argument, or this machine has
            no room for a task. A cluster may get a larger node later.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    ray: Any = importlib.import_module("ray")  # which reads them

    if address is not None and address.count(":") == 1:
        _check_answers(address)
    own = {
        "num_cpus": len(os.sched_getaffinity(0)),
        "include_dashboard": False,
        "object_store_memory": SHARED,
    }
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        settings = {"logging_level": "ERROR", **(own if address is None else {}), **arguments}
        ray.init(address=address or "local", **settings)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        what = "Ray" if address is None else f"hydra.launcher.address={address}"
        raise SettingError(f"{what}: {first_line(error)}") from error
    finally:
        for number, handler in handlers.items():  # Ray puts its own in place
            signal.signal(number, handler)
    try:
        if address is None:
            _check_room(room, ray.cluster_resources())
        yield
        time.sleep(LAST_LINES)
    finally:
        ray.shutdown()


def _check_room(room: Mapping[str, float], has: Mapping[str, float]) -> None:
    """Refuse a task that would wait forever."""
    for setting, asked in room.items():
        resource, unit = RESOURCES[setting]
        there = has.get(resource, 0.0) / unit
        if asked > there:
            raise SettingError(
                f"hydra.launcher.{setting}={asked:g} is more than this machine has. "
                f"Allowed: up to {there:.4g}."
            )


def _check_answers(address: str) -> None:
    """Refuse an address at which nothing listens."""
    host, _, port = address.partition(":")
    try:
        socket.create_connection((host, int(port)), PATIENCE).close()
    except (OSError, ValueError) as error:
        raise SettingError(
            f"hydra.launcher.address={address} does not answer ({first_line(error)}). "
            "Allowed: null for this machine, auto, or the host:port that `ray start --head` says."
        ) from error
