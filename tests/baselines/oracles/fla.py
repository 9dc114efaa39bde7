"""The plain functions of fla-core, read as files: its package needs Triton, and these do not."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


def load(file: str) -> ModuleType:
    """A file of fla/ops, by its path there, that counts in float64 where it has float32."""
    pytest.importorskip("einops", reason="pip install -e .[oracles]")
    spec = importlib.util.find_spec("fla")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("fla-core is not installed: pip install -e .[oracles]")
    path = Path(spec.submodule_search_locations[0]) / "ops" / file
    text = path.read_text()
    text = text.replace("torch.float32", "torch.float64").replace(".float()", ".double()")
    module = ModuleType(file)
    exec(compile(text, str(path), "exec"), vars(module))
    return module
