"""Addressing: cases worked by hand, invariants, and finite values and gradients at extremes."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ntmbench.ntm import addressing


def weightings(*values: float) -> Tensor:
    """One sequence and one head: ``[1, 1, N]``."""
    return torch.tensor([[values]], dtype=torch.float64)


def test_cosine_similarity_by_hand() -> None:
    memory = torch.tensor([[[3.0, 4.0], [0.0, 2.0], [-3.0, -4.0], [0.0, 0.0]]])
    keys = torch.tensor([[[6.0, 8.0], [0.0, 0.0]]])
    similarity = addressing.cosine_similarity(memory, keys)
    expected = torch.tensor([[[1.0, 0.8, -1.0, 0.0], [0.0, 0.0, 0.0, 0.0]]])
    torch.testing.assert_close(similarity, expected)


def test_similarity_of_the_default_initial_memory_is_that_of_its_direction() -> None:
    memory = torch.full((1, 1, 20), 1e-6)
    similarity = addressing.cosine_similarity(memory, torch.ones(1, 1, 20))
    assert similarity.item() == pytest.approx(1, abs=0.03)


def test_content_weighting_by_hand() -> None:
    memory = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    keys = torch.tensor([[[1.0, 0.0]]])
    weighting = addressing.content_weighting(memory, keys, torch.tensor([[math.log(3.0)]]))
    torch.testing.assert_close(weighting, torch.tensor([[[0.75, 0.25]]]))


def test_interpolate_by_hand() -> None:
    blended = addressing.interpolate(
        weightings(1, 0, 0), weightings(0, 0, 1), torch.tensor([[0.25]], dtype=torch.float64)
    )
    torch.testing.assert_close(blended, weightings(0.25, 0, 0.75))


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        ([1.0], [0.5, 0.2, 0.2, 0.1]),
        ([0.0, 1.0, 0.0], [0.5, 0.2, 0.2, 0.1]),
        ([0.0, 0.0, 1.0], [0.1, 0.5, 0.2, 0.2]),
        ([1.0, 0.0, 0.0], [0.2, 0.2, 0.1, 0.5]),
        ([0.0, 0.0, 0.0, 0.0, 1.0], [0.2, 0.1, 0.5, 0.2]),
        ([0.5, 0.0, 0.5], [0.15, 0.35, 0.15, 0.35]),
        ([0.0] * 10 + [1.0], [0.1, 0.5, 0.2, 0.2]),
    ],
)
def test_circular_shift_by_hand(shift: list[float], expected: list[float]) -> None:
    shifted = addressing.circular_shift(weightings(0.5, 0.2, 0.2, 0.1), weightings(*shift))
    torch.testing.assert_close(shifted, weightings(*expected))


def test_sharpen_by_hand() -> None:
    sharpened = addressing.sharpen(weightings(0.6, 0.3, 0.1), torch.tensor([[2.0]]).double())
    torch.testing.assert_close(sharpened, weightings(36 / 46, 9 / 46, 1 / 46))


def test_sharpening_by_one_changes_nothing() -> None:
    weighting = weightings(0.7, 0.3, 0.0)
    sharpened = addressing.sharpen(weighting, torch.ones(1, 1, dtype=torch.float64))
    torch.testing.assert_close(sharpened, weighting)


def test_read_by_hand() -> None:
    memory = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    reads = addressing.read(memory, torch.tensor([[[0.5, 0.5], [0.0, 1.0]]]))
    torch.testing.assert_close(reads, torch.tensor([[[2.0, 3.0], [3.0, 4.0]]]))


def test_write_by_hand() -> None:
    memory = torch.ones(1, 2, 2)
    written = addressing.write(
        memory,
        torch.tensor([[[1.0, 0.0], [0.5, 0.5]]]),
        erases=torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]),
        adds=torch.tensor([[[5.0, 0.0], [0.0, 2.0]]]),
    )
    # Slot 0: erased in its first number by head 0, half in its second by head 1; 5 and 1 added.
    torch.testing.assert_close(written, torch.tensor([[[5.0, 1.5], [1.0, 1.5]]]))


def test_write_heads_commute() -> None:
    generator = torch.Generator().manual_seed(0)
    memory = torch.randn(2, 5, 3, generator=generator)
    weighting, erases, adds = (torch.rand(2, 2, size, generator=generator) for size in (5, 3, 3))
    forwards = addressing.write(memory, weighting, erases, adds)
    backwards = addressing.write(memory, weighting.flip(1), erases.flip(1), adds.flip(1))
    torch.testing.assert_close(forwards, backwards)


extreme = st.sampled_from([0.0, 1e-30, -1e-30, 1e-6, 1.0, -1.0, 1e3, -1e15])


def tensors(data: st.DataObject, *shape: int) -> Tensor:
    count = math.prod(shape)
    values = data.draw(st.lists(extreme, min_size=count, max_size=count))
    return torch.tensor(values).reshape(shape).requires_grad_()


def assert_all_finite(result: Tensor, *arguments: Tensor) -> None:
    assert result.isfinite().all()
    (result * torch.arange(result.numel()).reshape(result.shape)).sum().backward()  # type: ignore[no-untyped-call]
    for argument in arguments:
        assert argument.grad is not None
        assert argument.grad.isfinite().all()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data(), st.sampled_from([0.0, 1e-4, 1.0, 50.0]))
def test_content_weighting_is_finite_at_extremes(data: st.DataObject, strength: float) -> None:
    memory, keys = tensors(data, 1, 3, 2), tensors(data, 1, 2, 2)
    strengths = torch.full((1, 2), strength, requires_grad=True)
    weighting = addressing.content_weighting(memory, keys, strengths)
    torch.testing.assert_close(weighting.sum(-1), torch.ones(1, 2))
    assert_all_finite(weighting, memory, keys, strengths)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from([0.0, 1e-40, 1e-30, 1e-6, 0.5, 1.0]), min_size=2, max_size=5),
    st.sampled_from([1.0, 2.0, 51.0]),
)
def test_sharpen_is_finite_at_extremes(values: list[float], power: float) -> None:
    weighting = torch.tensor([[values]], requires_grad=True)
    sharpening = torch.tensor([[power]], requires_grad=True)
    sharpened = addressing.sharpen(weighting, sharpening)
    torch.testing.assert_close(sharpened.sum(-1), torch.ones(1, 1))
    assert_all_finite(sharpened, weighting, sharpening)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(1, 9), st.integers(0, 5), st.integers(0, 2**16))
def test_shifts_keep_the_sum(slots: int, reach: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    weighting = torch.rand(2, 3, slots, generator=generator)
    shift = torch.softmax(torch.randn(2, 3, 2 * reach + 1, generator=generator), dim=-1)
    shifted = addressing.circular_shift(weighting, shift)
    torch.testing.assert_close(shifted.sum(-1), weighting.sum(-1))


def positive(*shape: int) -> Tensor:
    return torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) + 0.1


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        (addressing.cosine_similarity, [(2, 4, 3), (2, 2, 3)]),
        (addressing.content_weighting, [(2, 4, 3), (2, 2, 3), (2, 2)]),
        (addressing.interpolate, [(2, 2, 4), (2, 2, 4), (2, 2)]),
        (addressing.circular_shift, [(2, 2, 4), (2, 2, 5)]),
        (addressing.sharpen, [(2, 2, 4), (2, 2)]),
        (addressing.read, [(2, 4, 3), (2, 2, 4)]),
        (addressing.write, [(2, 4, 3), (2, 2, 4), (2, 2, 3), (2, 2, 3)]),
    ],
)
def test_gradients(function: Callable[..., Tensor], shapes: list[tuple[int, ...]]) -> None:
    arguments = tuple(positive(*shape).requires_grad_() for shape in shapes)
    assert torch.autograd.gradcheck(function, arguments)
