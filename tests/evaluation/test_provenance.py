"""Provenance: made-up memories where the answer is known, and every memory of the registry."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ntmbench.provenance import erase_and_add, shares_of
from ntmbench.registry import make_model

MEMORIES: dict[str, dict[str, Any]] = {
    "sparse_memory": {"controller_size": 5, "memory_slots": 4, "word_size": 4},
    "dnc": {"controller_size": 5, "memory_slots": 6, "word_size": 4, "erase_freed": True},
    "stack_rnn": {"hidden_size": 5},
    "tape_rnn": {"hidden_size": 5, "cells": 8},
}


def slots(*numbers: float) -> Tensor:
    """Weights on the slots at each step, ``[T, 1, 1, N]``, for one slot at each step."""
    return torch.eye(2)[torch.tensor(numbers, dtype=torch.long)][:, None, None]


def test_a_made_up_memory() -> None:
    """Step 0 writes slot 0, step 1 slot 1, step 2 half erases slot 0 and adds to it."""
    ones = torch.ones(3, 1, 1, 2)
    found = erase_and_add(
        reads=torch.tensor([[1.0, 0.0], [0.5, 0.5], [1.0, 0.0]])[:, None, None],
        writes=slots(0, 1, 0),
        erases=torch.tensor([0.0, 0.0, 0.5])[:, None, None, None] * ones,
        adds=torch.tensor([2.0, -6.0, 3.0])[:, None, None, None] * ones,
    )
    expected = torch.tensor([[1.0, 0.0, 0.0], [0.25, 0.75, 0.0], [0.25, 0.0, 0.75]])
    torch.testing.assert_close(found[:, 0], expected)


def test_a_memory_that_is_read_before_it_is_written() -> None:
    """Nothing is read at first; then what each step before has left."""
    ones = torch.ones(3, 1, 1, 2)
    found = erase_and_add(
        reads=slots(0, 0, 0),
        writes=slots(0, 0, 0),
        erases=torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]])[:, None, None],
        adds=ones,
        reads_first=True,
    )
    # Step 1 erases one of two numbers of step 0 and adds two.
    expected = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1 / 3, 2 / 3, 0.0]])
    torch.testing.assert_close(found[:, 0], expected)


def test_what_stood_there_from_the_beginning_has_a_share_of_its_own() -> None:
    found = erase_and_add(
        reads=slots(0, 0),
        writes=slots(0, 0),
        erases=torch.zeros(2, 1, 1, 2),
        adds=torch.ones(2, 1, 1, 2),
        first_memory=torch.full((2, 2), -2.0),
    )
    torch.testing.assert_close(found[:, 0], torch.tensor([[1 / 3, 0.0], [0.25, 0.25]]))


def test_a_freed_slot_is_empty() -> None:
    found = erase_and_add(
        reads=slots(0, 0),
        writes=slots(0, 0),
        erases=torch.zeros(2, 1, 1, 2),
        adds=torch.ones(2, 1, 1, 2),
        freed=torch.tensor([[[1.0, 1.0]], [[0.0, 1.0]]]),
    )
    torch.testing.assert_close(found[:, 0], torch.eye(2))


def test_nothing_read_has_no_shares() -> None:
    assert shares_of(torch.zeros(2, 1, 2)).tolist() == [[[0, 0]], [[0, 0]]]


@pytest.mark.parametrize("name", MEMORIES)
def test_shares_add_up_to_one_where_the_memory_began_empty(name: str) -> None:
    model = make_model(name, 3, 2, **MEMORIES[name])
    inputs = torch.randn(6, 2, 3, generator=torch.Generator().manual_seed(0))
    trace = model.trace(inputs)
    assert trace is not None
    shares = trace.provenance
    assert shares is not None
    total = shares.sum(dim=2)
    torch.testing.assert_close(total[1:], torch.ones_like(total[1:]))
    assert (shares >= 0).all()


def test_the_ntm_reads_what_it_wrote() -> None:
    """Its memory begins with a small constant, whose share is small."""
    model = make_model("ntm", 3, 2, controller_size=5, memory_slots=6, word_size=4, engine="eager")
    trace = model.trace(torch.randn(6, 2, 3, generator=torch.Generator().manual_seed(0)))
    assert trace is not None
    shares = trace.provenance
    assert shares is not None
    assert shares[0].sum() == 0
    torch.testing.assert_close(shares[1:].sum(dim=2), torch.ones(5, 2), rtol=0, atol=1e-3)
