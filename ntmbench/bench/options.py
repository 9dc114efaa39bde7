"""The command line of ``python -m ntmbench.bench``, checked."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ntmbench.bench.cases import CASES
from ntmbench.bench.contestants import PARAMETERS, contestant_names
from ntmbench.bench.machine import cores
from ntmbench.bench.measure import Clock
from ntmbench.bench.peer import INSTALL, Peer, PeerError, asked_peers, known_peers
from ntmbench.errors import SettingError, check_choice, check_range

#: Batch sizes of the NTM's cases, and of the models.
BATCHES = (1, 16, 64)
MODEL_BATCHES = (1, 16)


@dataclass(frozen=True)
class Options:
    """What is measured, and how long."""

    cases: list[str]
    models: list[str]
    case_batches: list[int]
    model_batches: list[int]
    threads: int
    seconds: float
    out: Path
    growth: bool
    first_call: bool
    processor: bool
    peers: list[Peer]

    def __post_init__(self) -> None:
        """Check names and ranges."""
        for name in self.cases:
            check_choice("--cases", name, list(CASES))
        allowed = contestant_names()
        for name in self.models:
            check_choice("--models", name, allowed)
        for size in (*self.case_batches, *self.model_batches):
            check_range("--batches", size, 1)
        if self.processor and self.threads > 1:
            raise SettingError(
                f"--processor adds up the time of all {self.threads} threads. "
                "Allowed: with --threads 1."
            )
        check_range("--threads", self.threads, 1, cores())
        check_range("--seconds", self.seconds, 0)
        measured = {*self.models, *(["ntm"] if self.cases else [])}
        names = {peer.name for peer in self.peers if peer.beside in measured}
        for peer in self.peers:
            if peer.name not in names:
                raise PeerError(
                    f"--peer {peer.name} is timed beside {peer.beside}, which is not measured. "
                    f"Allowed: with --models {peer.beside}, or without --peer {peer.name}."
                )

    @property
    def clock(self) -> Clock:
        """What tells the time of steps."""
        return time.process_time if self.processor else time.perf_counter

    @classmethod
    def parsed(cls, arguments: Sequence[str] | None) -> Options:
        """The options of a command line; all cases and all models if it names neither.

        Raises:
            UserError: for names and numbers that are not allowed.
        """
        given = _parser().parse_args(arguments)
        everything = given.cases is None and given.models is None
        return cls(
            cases=_chosen(given.cases, list(CASES), everything),
            models=_chosen(given.models, contestant_names(), everything),
            case_batches=given.batches or list(BATCHES),
            model_batches=given.batches or list(MODEL_BATCHES),
            threads=given.threads,
            seconds=given.seconds,
            out=given.out,
            growth=given.growth,
            first_call=given.first_call,
            processor=given.processor,
            peers=asked_peers(given.peer),
        )


def _chosen(names: list[str] | None, known: list[str], everything: bool) -> list[str]:
    """Those that are named; all if the option has no name, or nothing is chosen at all."""
    if names is None:
        return known if everything else []
    return list(dict.fromkeys(names)) or known


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ntmbench.bench",
        description="Time training steps (forward and backward), side by side, and compare them "
        "with the floor: the operations of a step over the rate of a matrix product on this "
        "machine. There are two tables: cases, for the NTM's two engines and some baselines, and "
        f"models, for every registered model with {PARAMETERS:,} parameters.",
    )
    add = parser.add_argument
    add(
        "--cases",
        nargs="*",
        metavar="CASE",
        help=f"the NTM's cases, of {', '.join(CASES)} (default: all, without --models)",
    )
    add(
        "--models",
        nargs="*",
        metavar="MODEL",
        help="the models, by name; all if none is named (default: all, without --cases)",
    )
    add(
        "--batches",
        nargs="+",
        type=int,
        metavar="B",
        help=f"sequences of a step (default: {_joined(BATCHES)} for cases, "
        f"{_joined(MODEL_BATCHES)} for models)",
    )
    add("--threads", type=int, default=cores(), help="CPU threads (default: %(default)s, all)")
    add(
        "--seconds",
        type=float,
        default=4.0,
        help="time for each case and batch size, and a quarter of it for each model and batch "
        "size; slow ones take more (default: %(default)s)",
    )
    add(
        "--processor",
        action="store_true",
        help="time the processor, not the wall clock, on a machine with other work: for steps, "
        "with --threads 1",
    )
    add(
        "--out",
        type=Path,
        default=Path("results/bench"),
        help="folder for CSV and pictures (default: %(default)s)",
    )
    add("--growth", action="store_true", help="growth with T too; for the cases with N too")
    add(
        "--no-first-call",
        dest="first_call",
        action="store_false",
        help="leave out the NTM's compilation from nothing, which is measured with the cases",
    )
    add(
        "--peer",
        nargs="+",
        default=[],
        metavar="PEER",
        help=f"other people's code, to time it beside ours: {_peers_told()}",
    )
    return parser


def _joined(sizes: Sequence[int]) -> str:
    return " ".join(map(str, sizes))


def _peers_told() -> str:
    """The peers that may be asked for, in words."""
    packages = sorted({peer.name for peer in known_peers() if peer.repository is None})
    checkouts = [str(peer.repository) for peer in known_peers() if peer.repository is not None]
    return f"{', '.join(packages)} ({INSTALL}), or the path of a checkout of {checkouts[0]}"
