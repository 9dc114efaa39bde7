"""The conformance kit for engines."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ntmbench.engine.contract import Engine
from ntmbench.errors import UserError
from ntmbench.model import SequenceModel


def check_engine(
    engine: Engine[Any], reference: Engine[Any], model: SequenceModel, inputs: Tensor
) -> None:
    """Check an engine against another one of the same model, on inputs ``[T, B, in]``.

    Logits, the trace's logits and the gradient of every weight must agree to the precision of the
    inputs' type, an obstacle must be one line, and the digest must be stable.

    Raises:
        AssertionError: saying what does not hold.
    """
    obstacle = engine.obstacle(model, inputs)
    assert obstacle is None, f"the {engine.name} engine cannot run {obstacle}"
    try:
        strange = engine.obstacle(model, inputs.to(torch.complex64)) or "nothing"
    except UserError as error:  # for what no engine could run
        strange = str(error)
    assert strange, "an obstacle is told without a word"
    assert "\n" not in strange, "an obstacle is not one line"
    assert engine.digest() == engine.digest() != "", "the digest is not stable"
    logits, expected = engine.run(model, inputs), reference.run(model, inputs)
    torch.testing.assert_close(logits, expected)
    with torch.no_grad():
        torch.testing.assert_close(engine.trace(model, inputs).logits, expected)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    ours = torch.autograd.grad(logits.square().sum(), weights, allow_unused=True)
    theirs = torch.autograd.grad(expected.square().sum(), weights, allow_unused=True)
    for found, right in zip(ours, theirs, strict=True):
        if right is not None:
            assert found is not None, "a gradient is missing"
            torch.testing.assert_close(found, right, rtol=1e-3, atol=1e-4)
