"""Peers: other people's code that is timed beside a model of ours, at the same sizes.

A peer is one file in ``ntmbench/bench/peers``, a builder with the decorator ``register_peer``. Its
module comes from an installed package, or from a checkout where there is no package.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from torch import nn

from ntmbench.discovery import import_modules
from ntmbench.errors import UserError, did_you_mean

#: How the packages among the peers are installed.
INSTALL = "pip install 'ntmbench[oracles]'"


class PeerError(UserError):
    """A peer is unknown or not there, or cannot be run."""


@dataclass(frozen=True)
class Sizes:
    """What a peer must be told beside the settings of the model that it stands beside."""

    inputs: int
    outputs: int
    steps: int


#: From the peer's module, the settings of our model and the sizes to a module that maps inputs
#: ``[T, B, in]`` to logits ``[T, B, out]``.
Builder = Callable[[Any, Any, Sizes], nn.Module]


@dataclass(frozen=True)
class Peer:
    """Code of somebody else, and our model that it is timed beside."""

    #: The package's name for pip, or the repository's.
    name: str
    #: Our model.
    beside: str
    #: What is imported.
    module: str
    build: Builder
    #: The address of the repository, for code that is no package.
    repository: str | None = None
    #: Where the user has a checkout of it.
    checkout: Path | None = None

    def made(self, settings: Any, sizes: Sizes) -> nn.Module:
        """The peer with the sizes of our model's ``settings``.

        Raises:
            PeerError: if it cannot be built.
        """
        with self.reported():
            return self.build(self._imported(), settings, sizes)

    def check(self) -> None:
        """Import the peer, before anything is timed.

        Raises:
            PeerError: if it is not installed, or cannot be imported.
        """
        with self.reported():
            try:
                self._imported()
            except ModuleNotFoundError as error:
                if self.checkout is None and error.name == self.module:
                    raise PeerError(f"--peer {self.name} is not installed: {INSTALL}.") from error
                raise

    @contextmanager
    def reported(self) -> Iterator[None]:
        """Turn any failure of the peer's code into one line, and hide its warnings.

        Raises:
            PeerError: that line.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        except UserError:
            raise
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            who = self.name if self.checkout is None else self.checkout
            raise PeerError(f"--peer {who} cannot be run: {reason}") from error

    def _imported(self) -> Any:
        """The peer's module, from the checkout and no other package of that name if there is one.

        Raises:
            ImportError: if it cannot be imported, or comes from elsewhere.
        """
        if self.checkout is None:
            return importlib.import_module(self.module)
        folder = self.checkout.resolve()
        sys.path.insert(0, str(folder))
        try:
            module = importlib.import_module(self.module)
        finally:
            sys.path.remove(str(folder))
        if not Path(str(module.__file__)).resolve().is_relative_to(folder):
            raise ImportError(f"another package named {self.module} is loaded, {module.__file__}")
        return module


_peers: list[Peer] = []


def register_peer(
    name: str, *, beside: str, module: str, repository: str | None = None
) -> Callable[[Builder], Builder]:
    """Decorator of a builder: make a peer known.

    Args:
        name: the package's name for pip, or the repository's. Several peers may come from one.
        beside: our model with the same equations.
        module: what is imported and given to the builder.
        repository: the address of the repository, for code that is no package.
    """

    def register(build: Builder) -> Builder:
        _peers.append(Peer(name, beside, module, build, repository))
        return build

    return register


@cache
def known_peers() -> tuple[Peer, ...]:
    """All peers; none of their packages is imported for it."""
    import_modules("ntmbench.bench.peers", str(Path(__file__).parent / "peers"))
    return tuple(_peers)


def asked_peers(values: Sequence[str]) -> list[Peer]:
    """The peers that are named by packages and by folders with a checkout, ready to be built.

    Raises:
        PeerError: for one that is unknown, not installed or cannot be imported.
    """
    found = [peer for value in values for peer in _named(value)]
    for peer in found:
        peer.check()
    return found


def _named(value: str) -> list[Peer]:
    packages = [peer for peer in known_peers() if peer.repository is None]
    if of_package := [peer for peer in packages if peer.name == value]:
        return of_package
    checkouts = [peer for peer in known_peers() if peer.repository is not None]
    for peer in checkouts:
        if (Path(value) / _file(peer)).is_file():
            return [replace(peer, checkout=Path(value))]
    names = sorted({peer.name for peer in packages})
    folders = " or ".join(f"{peer.repository}, which has {_file(peer)}" for peer in checkouts)
    raise PeerError(
        f"--peer {value} is no package that is known, and not a checkout of {folders}. "
        f"Packages: {', '.join(names)}.{did_you_mean(value, names)}"
    )


def _file(peer: Peer) -> Path:
    return Path(*peer.module.split(".")).with_suffix(".py")
