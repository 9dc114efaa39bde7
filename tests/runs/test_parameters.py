"""Counting parameters leaves no trace, and what was counted is known."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from ntmbench import registry
from ntmbench.model import SequenceModel
from ntmbench.registry import make_model, model_entry
from ntmbench.runs import parameters
from ntmbench.runs.parameters import count_parameters


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_the_count_is_the_models(device: str) -> None:
    settings = {"hidden_size": 11 if device == "cpu" else 13, "layers": 1}
    torch.manual_seed(3)
    before = torch.get_rng_state()
    counted = count_parameters("lstm", settings, 5, 4, device=device)
    assert torch.equal(torch.get_rng_state(), before)
    model = make_model("lstm", 5, 4, **settings)
    assert counted == sum(parameter.numel() for parameter in model.parameters())


def test_what_was_counted_is_not_built_again(monkeypatch: pytest.MonkeyPatch) -> None:
    built = []

    def build(input_width: int, output_width: int, settings: object) -> SequenceModel:
        built.append(settings)
        return model_entry("lstm").build(input_width, output_width, settings)

    monkeypatch.setattr(parameters, "_counted", {})
    monkeypatch.setitem(registry._models, "built", replace(model_entry("lstm"), build=build))
    sizes = [
        count_parameters("built", {"hidden_size": width}, 5, 4, device=device)
        for width, device in [(3, "cpu"), (3, "meta"), (4, "meta"), (3, "meta")]
    ]
    assert len(built) == 2
    assert len(set(sizes)) == 2


@pytest.mark.slow
def test_widths_and_sizes_are_found_without_sympy() -> None:
    """PyTorch needs it for some weights without numbers, and it delays the start by seconds."""
    code = """
import sys
from hydra import compose
from ntmbench.composition.composing import composing, to_run_config
from ntmbench.registry import model_entry, model_names
from ntmbench.runs.check import _check_size
for model in model_names():
    if not model_entry(model).control and model != "custom":
        with composing():
            composed = compose("config", overrides=["task=key_value", f"model={model}"])
        _check_size(to_run_config(composed), model)
        assert "sympy" not in sys.modules, model
"""
    subprocess.run([sys.executable, "-c", code], check=True)
