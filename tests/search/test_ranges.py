"""Ranges that settings declare: all of their values are allowed, and they widen."""

from __future__ import annotations

from typing import Any

import pytest

from ntmbench.data.ranges import Choice, LogRange, Range, Searched, declared
from ntmbench.registry import model_entry, model_names
from ntmbench.training.settings import TrainSettings

SETTINGS = [TrainSettings, *(model_entry(name).settings for name in model_names())]
DECLARED = [
    (settings, name, values) for settings in SETTINGS for name, values in declared(settings).items()
]


def test_models_and_training_declare_some() -> None:
    told = {f"{settings.__name__}.{name}" for settings, name, _ in DECLARED}
    assert {"TrainSettings.learning_rate", "LSTMSettings.layers", "NTMSettings.word_size"} <= told


def test_no_model_declares_its_width() -> None:
    """The budget of parameters gives it."""
    for name in model_names():
        entry = model_entry(name)
        assert entry.width not in declared(entry.settings)


def ends(values: Searched) -> tuple[Any, ...]:
    return values.values if isinstance(values, Choice) else (values.low, values.high)


@pytest.mark.parametrize(("settings", "name", "values"), DECLARED)
def test_the_ends_are_allowed_and_of_the_settings_type(
    settings: type, name: str, values: Searched
) -> None:
    default = getattr(settings(), name)
    for end in ends(values):
        assert type(end) is type(default)
        assert getattr(settings(**{name: end}), name) == end
    assert isinstance(values, Choice) or values.low < values.high
    assert not isinstance(values, LogRange) or values.low > 0


def test_ranges_widen_as_far_as_is_needed() -> None:
    assert Range(1, 3).holding(5) == Range(1, 5)
    assert Range(0.5, 0.9).holding(0.1) == Range(0.1, 0.9)
    assert LogRange(1.0, 2.0).holding(0.25) == LogRange(0.25, 2.0)
    assert LogRange(1.0, 2.0).holding(0.0) == LogRange(1.0, 2.0)
    assert Choice((1, 2)).holding(2) == Choice((1, 2))
    assert Choice((1, 2)).holding(3) == Choice((1, 2, 3))
