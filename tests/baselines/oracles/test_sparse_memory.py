"""The sparse memory beside a second implementation in plain loops, which keeps every memory."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ntmbench.baselines.memory.sparse_memory import SparseMemory, SparseMemorySettings
from ntmbench.baselines.memory.sparse_slots import USED, Slots
from ntmbench.ntm.limits import SQUARED_NORM_FLOOR
from ntmbench.registry import make_model

STEPS, BATCH, INPUTS, OUTPUTS = 8, 2, 3, 2


def numbers(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def one_sequence(model: SparseMemory, inputs: Tensor) -> Tensor:
    """The logits ``[T, out]`` of inputs ``[T, in]``: all slots are stored, and none is changed."""
    s = model.settings
    slots, heads, words = range(model.memory_slots), range(s.read_heads), s.word_size
    zero = inputs.new_zeros(())
    hidden = cell = inputs.new_zeros(s.controller_size)
    memory = [inputs.new_zeros(words) for _ in slots]
    last_use = [slot - len(slots) for slot in slots]
    ever_written: set[int] = set()
    read_at: list[dict[int, Tensor]] = [{} for _ in heads]
    reads = [inputs.new_zeros(words) for _ in heads]
    (lstm,) = model.controller.linears()
    logits = []
    for t, shown in enumerate(inputs):
        gates = lstm(torch.cat([shown, *reads, hidden])).chunk(4)
        cell = gates[1].sigmoid() * cell + gates[0].sigmoid() * gates[2].tanh()
        hidden = gates[3].sigmoid() * cell.tanh()
        asked = model.interface(hidden)
        keys = asked[: len(heads) * words].view(len(heads), words)
        strengths = 1 + (1 + asked[keys.numel() :][: len(heads)].exp()).log()
        word = asked[-words - 2 : -2]
        alpha, gamma = asked[-2:].sigmoid()

        oldest = min(slots, key=lambda slot: last_use[slot])
        ever_written.add(oldest)
        written = dict.fromkeys(slots, zero)
        for head in heads:
            for slot, weight in read_at[head].items():
                written[slot] = written[slot] + alpha * gamma * weight / len(heads)
        written[oldest] = written[oldest] + alpha * (1 - gamma)
        memory = [
            (0 if slot == oldest else 1) * memory[slot] + written[slot] * word for slot in slots
        ]
        used = dict(written)
        for head in heads:
            alike = {slot: cosine(memory[slot], keys[head]) for slot in ever_written}
            found = sorted(alike, key=lambda slot: -float(alike[slot].detach()))[: s.touched]
            sharp = torch.stack([strengths[head] * alike[slot] for slot in found]).softmax(0)
            read_at[head] = dict(zip(found, sharp, strict=True))
            for slot, weight in read_at[head].items():
                used[slot] = used[slot] + weight
        reads = [sum((w * memory[i] for i, w in read_at[head].items()), zero) for head in heads]
        last_use = [t if used[slot] > USED else last_use[slot] for slot in slots]
        logits.append(model.output(torch.cat([hidden, *reads])))
    return torch.stack(logits)


def cosine(word: Tensor, key: Tensor) -> Tensor:
    sizes = [(vector @ vector + SQUARED_NORM_FLOOR).sqrt() for vector in (word, key)]
    return word @ key / (sizes[0] * sizes[1])


@pytest.mark.parametrize("slots", [3, 20], ids=["fewer slots than steps", "more"])
@pytest.mark.parametrize("heads", [1, 2])
def test_same_outputs_and_gradients(slots: int, heads: int) -> None:
    settings = SparseMemorySettings(
        controller_size=5, memory_slots=slots, word_size=3, read_heads=heads, touched=2
    )
    model = SparseMemory(INPUTS, OUTPUTS, settings).double()
    inputs = numbers(STEPS, BATCH, INPUTS, seed=0).requires_grad_()
    pull = numbers(STEPS, BATCH, OUTPUTS, seed=1)
    leaves = [inputs, *model.parameters()]
    found = []
    loops = [one_sequence(model, inputs[:, b]) for b in range(BATCH)]
    for logits in (model(inputs), torch.stack(loops, dim=1)):
        found.append([logits, *torch.autograd.grad((logits * pull).sum(), leaves)])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


def test_slots_that_are_not_used_cost_nothing() -> None:
    """A thousand million slots of twenty numbers would not fit anywhere."""
    inputs = numbers(STEPS, BATCH, INPUTS, seed=0).float()
    few = make_model("sparse_memory", INPUTS, OUTPUTS, memory_slots=STEPS)
    many = make_model("sparse_memory", INPUTS, OUTPUTS, memory_slots=2**30)
    assert torch.equal(few(inputs), many(inputs))
    assert many.state_floats(STEPS) == few.state_floats(STEPS)


@pytest.mark.parametrize("steps", [3, 8], ids=["fewer steps than slots", "more"])
def test_state_floats_is_all_that_a_step_hands_to_the_next(steps: int) -> None:
    sizes = {"controller_size": 5, "memory_slots": 5, "word_size": 3, "touched": 2}
    model = SparseMemory(INPUTS, OUTPUTS, SparseMemorySettings(**sizes, read_heads=2)).double()
    inputs = numbers(steps, 1, INPUTS, seed=0)
    slots = Slots(inputs, sizes["memory_slots"], sizes["word_size"])
    with torch.no_grad():
        *_, last = model.steps(inputs, slots)
    of_slots = [part for part in vars(slots).values() if isinstance(part, Tensor)]
    kept = [*last.after, last.read, *of_slots]
    assert model.state_floats(steps) == sum(part.numel() for part in kept)


def test_a_backward_pass_can_be_repeated() -> None:
    model = make_model("sparse_memory", INPUTS, OUTPUTS, controller_size=5)
    logits = model(numbers(STEPS, BATCH, INPUTS, seed=0).float())
    weights = list(model.parameters())
    once = torch.autograd.grad(logits.sum(), weights, retain_graph=True)
    again = torch.autograd.grad(logits.sum(), weights)
    assert all(torch.equal(one, other) for one, other in zip(once, again, strict=True))
