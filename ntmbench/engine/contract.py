"""What an engine is, and which engine of a model runs.

An engine computes a whole sequence of one model. All engines of a model give the same results but
for rounding; they differ in speed and in what they can run.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from ntmbench.engine.sources import digest_of
from ntmbench.errors import SettingError, check_choice

if TYPE_CHECKING:
    from torch import Tensor

ModelT = TypeVar("ModelT")

#: Asks for the first engine that can run the inputs at hand.
AUTO = "auto"

_LOG = logging.getLogger("ntmbench")


class Engine(ABC, Generic[ModelT]):
    """One way to compute a model. It has no state of its own, so that models may share it."""

    #: As the setting that chooses it names it.
    name: ClassVar[str]
    #: Full names of the modules that compute; what they import belongs to the engine too.
    modules: ClassVar[tuple[str, ...]]

    @abstractmethod
    def obstacle(self, model: ModelT, inputs: Tensor) -> str | None:
        """What keeps the engine from running ``inputs [T, B, in]``; None if nothing does.

        In a few words that go on from "cannot run": ``in torch.float16``, ``on cuda``.

        Raises:
            UserError: for inputs that no engine of the model could run.
        """

    @abstractmethod
    def run(self, model: ModelT, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]``, to which there is no obstacle, to logits ``[T, B, out]``."""

    @abstractmethod
    def trace(self, model: ModelT, inputs: Tensor) -> Any:
        """Run such inputs without gradients and return the model's trace."""

    def digest(self) -> str:
        """A digest of the engine's sources, those of the toolkit that it uses included."""
        return digest_of(*self.modules)


def engine_names(engines: Sequence[Engine[Any]]) -> tuple[str, ...]:
    """What a setting that chooses one of the engines may be."""
    return (AUTO, *(engine.name for engine in engines))


def choose(
    engines: Sequence[Engine[ModelT]],
    requested: str,
    model: ModelT,
    inputs: Tensor,
    said: set[str],
) -> Engine[ModelT]:
    """The engine that runs the inputs: the one asked for, or the first without an obstacle.

    Args:
        engines: of the model, the fastest first.
        requested: an engine's name, or ``auto``.
        model: what is to be computed.
        inputs: ``[T, B, in]``.
        said: what the log has been told already of engines that were passed over. It is added to.

    Raises:
        SettingError: for an unknown name, for an engine that cannot run this and, with ``auto``,
            where none can.
    """
    if requested == AUTO:
        return _first_without_obstacle(engines, model, inputs, said)
    check_choice("model.engine", requested, engine_names(engines))
    (engine,) = (engine for engine in engines if engine.name == requested)
    obstacle = engine.obstacle(model, inputs)
    if obstacle is not None:
        free = [other.name for other in engines if other.obstacle(model, inputs) is None]
        allowed = f" Allowed: {', '.join([AUTO, *free])}." if free else " No other engine can."
        raise SettingError(f"model.engine={requested} cannot run {obstacle}.{allowed}")
    return engine


def _first_without_obstacle(
    engines: Sequence[Engine[ModelT]], model: ModelT, inputs: Tensor, said: set[str]
) -> Engine[ModelT]:
    obstacles: list[str] = []
    for engine in engines:
        obstacle = engine.obstacle(model, inputs)
        if obstacle is None:
            if obstacles:
                _say(f"The {engine.name} engine runs, since {' and '.join(obstacles)}.", said)
            return engine
        obstacles.append(f"the {engine.name} engine cannot run {obstacle}")
    name = type(model).__name__
    raise SettingError(f"No engine can run this {name}: {' and '.join(obstacles)}.")


def _say(line: str, said: set[str]) -> None:
    import torch  # settings list engines, and do without it

    if torch.compiler.is_compiling() or line in said:  # which takes no logging
        return
    said.add(line)
    _LOG.info(line)
