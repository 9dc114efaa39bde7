"""`model=custom model.target=my_module:MyModel`: any importable nn.Module as a model.

The class is called as ``MyModel(input_width, output_width, **model.arguments)`` and must map
inputs ``[T, B, input_width]`` to logits ``[T, B, output_width]``.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ntmbench.errors import ModelError, SettingError
from ntmbench.model import SequenceModel, check_logits
from ntmbench.registry import register_model


@dataclass(frozen=True)
class CustomSettings:
    """Settings of a model that the user brings."""

    #: ``package.module:Class`` of an nn.Module.
    target: str = ""
    #: Keyword arguments that the class is called with after the two widths.
    arguments: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the form of ``target``."""
        module, _, name = self.target.partition(":")
        if not (module and name.isidentifier()):
            raise SettingError(
                f"model.target={self.target or '(empty)'} names no class. "
                "Allowed: module:Class, for example model.target=my_module:MyModel."
            )


class Custom(SequenceModel):
    """A user's module behind the suite's contract; its output's shape is checked at each call."""

    def __init__(self, module: nn.Module, output_width: int, target: str) -> None:
        """Wrap ``module``, and name it as ``target`` in refusals."""
        super().__init__()
        self.module = module
        self.output_width = output_width
        self.target = target

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs ``[T, B, in]`` to logits ``[T, B, out]``; ModelError for another shape."""
        logits: Tensor = self.module(inputs)
        expected = (*inputs.shape[:2], self.output_width)
        check_logits(f"model.target={self.target}", logits, expected)
        return logits


def source_digest(settings: CustomSettings) -> dict[str, str]:
    """A digest of the file that defines the user's class: an edited class is another run.

    Raises:
        ModelError: if it cannot be imported.
    """
    found = _imported(settings)
    module = sys.modules[getattr(found, "__module__", None) or settings.target.partition(":")[0]]
    file = getattr(module, "__file__", None)
    if file is None:  # typed into an interpreter
        return {}
    return {"source": hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]}


@register_model("custom", settings=CustomSettings, extras=source_digest, named_by="target")
def build_custom(input_width: int, output_width: int, settings: CustomSettings) -> SequenceModel:
    """Import and build the user's class.

    Raises:
        ModelError: if it cannot be imported or built, or is no nn.Module.
    """
    where = f"model.target={settings.target}"
    class_name = settings.target.partition(":")[2]
    found = _imported(settings)
    try:
        built = found(input_width, output_width, **settings.arguments)
    except (Exception, SystemExit) as error:
        raise ModelError(
            f"{where} cannot be built as {class_name}({input_width}, {output_width}, "
            f"**model.arguments): {_one_line(error)}"
        ) from error
    if not isinstance(built, nn.Module):
        raise ModelError(f"{where} is not a torch.nn.Module but a {type(built).__name__}.")
    if isinstance(built, SequenceModel):
        return built
    return Custom(built, output_width, settings.target)


def _imported(settings: CustomSettings) -> Any:
    module_name, _, class_name = settings.target.partition(":")
    try:
        return getattr(importlib.import_module(module_name), class_name)
    except (Exception, SystemExit) as error:  # a user's module may raise anything
        raise ModelError(
            f"model.target={settings.target} cannot be imported: {_one_line(error)}"
        ) from error


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
