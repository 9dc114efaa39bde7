"""What kernels cannot run is told in a few words, each for one reason."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from ntmbench.engine import obstacle
from ntmbench.engine.obstacle import obstacle_in, obstacle_to

# PyTorch's own, of what it makes for forward mode.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


def dual() -> list[Tensor]:
    return [forward_ad.make_dual(torch.ones(2), torch.ones(2))]  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: [torch.ones(2), torch.ones(3)], None),
        (lambda: [torch.ones(2).double()], "in torch.float64"),
        (lambda: [torch.ones(2), torch.ones(2).half()], "in torch.float16 and torch.float32"),
        (lambda: [torch.ones(2, device="meta")], "on meta"),
        (dual, "in forward mode automatic differentiation"),
    ],
)
def test_of_tensors(make: Callable[[], list[Tensor]], told: str | None) -> None:
    with forward_ad.dual_level():
        assert obstacle_to(make()) == told


def test_of_types_that_some_kernels_take() -> None:
    doubles = [torch.ones(2).double()]
    assert obstacle_to(doubles, (torch.float32, torch.float64)) is None


def test_of_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(obstacle, "multiplies_and_adds_at_once", lambda: False)
    assert obstacle_to([torch.ones(2)]) == "on a processor without fused multiply-add"


def asking(found: list[str | None]) -> Callable[[Tensor], Tensor]:
    """A function that notes the obstacle to its argument."""

    def ask(tensor: Tensor) -> Tensor:
        found.append(obstacle_to([tensor]))
        return tensor + 1

    return ask


def transformed(found: list[str | None]) -> None:
    torch.func.vmap(asking(found))(torch.ones(2))


def traced(found: list[str | None]) -> None:
    torch.jit.trace(asking(found), torch.ones(2))  # type: ignore[no-untyped-call]


def in_autocast(found: list[str | None]) -> None:
    context: AbstractContextManager[None] = torch.autocast("cpu")
    with context:
        found.append(obstacle_to([torch.ones(2)]))


@pytest.mark.parametrize(
    ("where", "told"),
    [
        (transformed, "inside transforms of torch.func"),
        (traced, "inside torch.jit.trace"),
        (in_autocast, "inside torch.autocast"),
    ],
)
def test_of_surroundings(where: Callable[[list[str | None]], None], told: str) -> None:
    found: list[str | None] = []
    where(found)
    assert found[0] == told


def hooked(layer: nn.Module) -> nn.Module:
    layer.register_full_backward_hook(lambda *_: None)
    return layer


@pytest.mark.parametrize(
    ("layer", "told"),
    [
        (nn.Linear(2, 2), None),
        (nn.Sequential(nn.Linear(2, 2), nn.ReLU()), None),
        (nn.Linear(2, 2, bias=False), "with a layer without bias"),
        (nn.Tanh(), "with a layer of the kind Tanh"),
        (hooked(nn.Linear(2, 2)), "with hooks on its layers"),
    ],
)
def test_of_layers(layer: nn.Module, told: str | None) -> None:
    assert obstacle_in([nn.ReLU(), layer]) == told
