"""Global random states, which nothing in the suite may draw from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def random_states_untouched() -> Iterator[None]:
    """Check that neither PyTorch's nor NumPy's global generator is drawn from."""
    pytorchs, numpys = torch.get_rng_state(), repr(np.random.get_state(legacy=False))
    yield
    assert torch.equal(torch.get_rng_state(), pytorchs), "PyTorch's global random state was changed"
    now = repr(np.random.get_state(legacy=False))
    assert now == numpys, "NumPy's global random state was changed"
