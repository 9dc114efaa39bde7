"""What an engine is, and which engine of a model runs.

An engine computes a whole sequence of one model. All engines of a model give the same results up
to rounding; they differ in speed and in what they can run.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from ntmbench.engine.sources import digest_of
from ntmbench.errors import SettingError, check_choice

if TYPE_CHECKING:
    from torch import Tensor

ModelT = TypeVar("ModelT")

#: Asks for the first engine that can run the inputs at hand.
AUTO = "auto"

_LOG = logging.getLogger("ntmbench")


class Engine(ABC, Generic[ModelT]):
    """One way to compute a model. It has no state, so that models may share it."""

    #: The name by which a setting chooses it.
    name: ClassVar[str]
    #: Full names of the modules that compute. What these import belongs to the engine too.
    modules: ClassVar[tuple[str, ...]]

    @abstractmethod
    def obstacle(self, model: ModelT, inputs: Tensor) -> str | None:
        """What keeps the engine from running ``inputs [T, B, in]``; None if nothing does.

        A few words that follow "cannot run": ``in torch.float16``, ``on cuda``.

        Raises:
            UserError: for inputs that no engine of the model could run.
        """

    @abstractmethod
    def run(self, model: ModelT, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]``, to which there is no obstacle, to logits ``[T, B, out]``."""

    def trace(self, model: ModelT, inputs: Tensor) -> Any:
        """Run such inputs without gradients and return the model's trace.

        This is the model's own, for models that trace themselves in PyTorch operations.
        """
        return cast(Any, model).trace(inputs)

    def digest(self) -> str:
        """A digest of the engine's sources and of those that it imports from the toolkit."""
        return digest_of(*self.modules)


def engine_names(engines: Sequence[Engine[Any]]) -> tuple[str, ...]:
    """The allowed values of a setting that chooses an engine."""
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
        engines: the model's engines, the fastest first.
        requested: an engine's name, or ``auto``.
        model: the model to compute.
        inputs: ``[T, B, in]``.
        said: lines about skipped engines that are in the log already; new ones are added.

    Raises:
        SettingError: for an unknown name, for an engine that cannot run this and, with ``auto``,
            if no engine can.
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
    import torch  # settings list engines without it

    if torch.compiler.is_compiling() or line in said:  # a compiler cannot take logging
        return
    said.add(line)
    _LOG.info(line)
