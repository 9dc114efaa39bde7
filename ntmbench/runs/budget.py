"""Budgets of parameters: the width that gives every model of a task about the same size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ntmbench.errors import ModelError, SettingError, check_whole
from ntmbench.registry import model_entry
from ntmbench.runs.parameters import count_parameters
from ntmbench.task import Task

#: The greatest budget, and the greatest of a model's other settings, with which its parameters are
#: counted on the CPU, where that takes less time.
SMALL, LOW = 1_000_000, 1024


@dataclass(frozen=True)
class Budget:
    """What every model of a task may use, beside the training sequences."""

    #: Parameters of a model whose width is set to 0: it is as wide as they allow. 0 sets no limit,
    #: and leaves such a model its default width.
    parameters: int = 0

    def __post_init__(self) -> None:
        """Check the range."""
        check_whole("budget.parameters", self.parameters, 0)


def with_width(
    model: str, settings: Mapping[str, Any], task: Task, budget: Budget
) -> dict[str, Any]:
    """The settings of a model, with its width filled in if that is 0.

    Raises:
        SettingError: if even a width of 1 takes more parameters than the budget has.
        ModelError: if a greater width takes no more parameters, so that there is no widest.
    """
    width = model_entry(model).width
    if width is None or settings.get(width) != 0:
        return dict(settings)
    others = {name: value for name, value in settings.items() if name != width}
    if budget.parameters == 0:
        return others
    fixed = json.dumps(others, sort_keys=True)
    found = _widest(model, width, fixed, task.input_width, task.output_width, budget.parameters)
    return {**settings, width: found}


@cache
def _widest(
    model: str, width: str, others: str, input_width: int, output_width: int, parameters: int
) -> int:
    """The largest width at which a model has at most so many parameters.

    ``others`` are its other settings, as JSON. The number of parameters must grow with the width.
    """
    settings = json.loads(others)
    # A model of too many parameters need not fit anywhere, and on meta takes no memory.
    greatest = max((value for value in settings.values() if isinstance(value, int)), default=0)
    device = "cpu" if parameters <= SMALL and greatest <= LOW else "meta"

    def count(value: int) -> int:
        widths = {**settings, width: value}
        sizes = (input_width, output_width)
        try:
            return count_parameters(model, widths, *sizes, device=device)
        except RuntimeError:  # a model of a plug-in may need numbers to be built
            return count_parameters(model, widths, *sizes, device="cpu")

    def fits(value: int) -> bool:
        try:
            return count(value) <= parameters
        except SettingError:  # wider than the model allows
            return False

    least = count(1)
    if least > parameters:
        raise SettingError(
            f"budget.parameters={parameters} is too few for model={model}, which has {least} with "
            f"model.{width}=1. Allowed: {least} or more, or 0 for no limit."
        )
    fitting, too_wide = 1, 2
    while fits(too_wide):
        if count(too_wide) <= count(fitting):
            raise ModelError(
                f"model={model} has no more parameters with model.{width}={too_wide} than with "
                f"{fitting}, so that budget.parameters={parameters} finds no width. Allowed: "
                f"a model whose parameters grow with its width, or a model.{width} of 1 or more."
            )
        fitting, too_wide = too_wide, 2 * too_wide
    while too_wide - fitting > 1:
        middle = (fitting + too_wide) // 2
        if fits(middle):
            fitting = middle
        else:
            too_wide = middle
    return fitting
