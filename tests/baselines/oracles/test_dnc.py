"""The DNC beside the memory of PyPI's ``dnc``, and beside a second one in plain loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from ntmbench.baselines.memory.dnc import DNC, EPSILON, DNCSettings, Interface, Memory, step

SIZES = {"controller_size": 5, "memory_slots": 4, "word_size": 3, "read_heads": 2}
STEPS, BATCH, INPUTS, OUTPUTS = 6, 2, 3, 2


def numbers(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def asked_at_random(steps: int, batch: int, heads: int, words: int) -> list[Interface]:
    """What is asked at each step, as leaves of the graph."""

    def drawn(step: int, part: int, *shape: int) -> Tensor:
        return numbers(*shape, seed=100 * step + part)

    def unit(x: Tensor) -> Tensor:
        return x.sigmoid()

    found = []
    for t in range(steps):
        asked = Interface(
            read_keys=drawn(t, 0, batch, heads, words),
            read_strengths=1 + drawn(t, 1, batch, heads).abs(),
            read_modes=drawn(t, 2, batch, heads, 3).softmax(2),
            free_gates=unit(drawn(t, 3, batch, heads)),
            write_key=drawn(t, 4, batch, words),
            write_strength=1 + drawn(t, 5, batch).abs(),
            erase=unit(drawn(t, 6, batch, words)),
            write_vector=drawn(t, 7, batch, words),
            allocation_gate=unit(drawn(t, 8, batch)),
            write_gate=unit(drawn(t, 9, batch)),
            read_masks=None,
            write_mask=None,
            sharpness=None,
        )
        found.append(
            Interface(*(part if part is None else part.requires_grad_() for part in asked))
        )
    return found


def begun_memory(batch: int, heads: int, slots: int, words: int) -> Memory:
    """A memory in use, so that no two usages are equal."""
    return Memory(
        words=numbers(batch, slots, words, seed=1),
        usage=numbers(batch, slots, seed=2).sigmoid(),
        precedence=numbers(batch, slots, seed=3).softmax(1),
        links=numbers(batch, slots, slots, seed=4).sigmoid() / slots * (1 - torch.eye(slots)),
        write_weighting=numbers(batch, slots, seed=5).softmax(1),
        read_weightings=numbers(batch, heads, slots, seed=6).softmax(2),
        retention=torch.ones(batch, slots, dtype=torch.float64),
    )


def of_the_package(asked: list[Interface], memory: Memory) -> list[Tensor]:
    """Reads of PyPI's ``dnc`` at each step."""
    module = pytest.importorskip("dnc.memory", reason="PyPI's dnc is not installed (oracles)")
    _, slots, words = memory.words.shape
    oracle = module.Memory(5, slots, words, memory.read_weightings.shape[1])
    hidden: dict[str, Any] = {
        "memory": memory.words,
        "link_matrix": memory.links.unsqueeze(1),
        "precedence": memory.precedence.unsqueeze(1),
        "read_weights": memory.read_weightings,
        "write_weights": memory.write_weighting.unsqueeze(1),
        "usage_vector": memory.usage,
    }
    reads = []
    for a in asked:
        hidden = oracle.write(
            a.write_key.unsqueeze(1),
            a.write_vector.unsqueeze(1),
            a.erase.unsqueeze(1),
            a.free_gates,
            a.read_strengths,
            a.write_strength.unsqueeze(1),
            a.write_gate.unsqueeze(1),
            a.allocation_gate.unsqueeze(1),
            hidden,
        )
        modes = a.read_modes[:, :, [0, 2, 1]]  # backward, forward, content
        read, hidden = oracle.read(a.read_keys, a.read_strengths, modes, hidden)
        reads.append(read)
    return reads


def of_ours(asked: list[Interface], memory: Memory) -> list[Tensor]:
    reads = []
    for a in asked:
        memory = step(memory, a, erase_freed=False)
        reads.append(memory.read_weightings @ memory.words)
    return reads


@pytest.mark.slow  # the package takes seconds to import
def test_memory_is_that_of_the_package() -> None:
    asked = asked_at_random(STEPS, BATCH, heads=2, words=3)
    leaves = [part for a in asked for part in a if part is not None]
    begun = begun_memory(BATCH, heads=2, slots=5, words=3)
    pull = numbers(STEPS, BATCH, 2, 3, seed=7)
    found = []
    for run in (of_ours, of_the_package):
        reads = torch.stack(run(asked, begun))
        found.append([reads, *torch.autograd.grad((reads * pull).sum(), leaves)])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


def in_plain_loops(model: DNC, inputs: Tensor) -> Tensor:
    """The logits ``[T, B, out]``, one sequence, head and slot at a time."""
    logits = [one_sequence(model, inputs[:, b]) for b in range(inputs.shape[1])]
    return torch.stack(logits, dim=1)


def one_sequence(model: DNC, inputs: Tensor) -> Tensor:
    """The logits ``[T, out]`` of inputs ``[T, in]``."""
    s = model.settings
    slots, heads, words = range(s.memory_slots), range(s.read_heads), s.word_size
    zero = inputs.new_zeros(())
    hidden = cell = inputs.new_zeros(s.controller_size)
    memory = [inputs.new_zeros(words) for _ in slots]
    usage, precedence, written = [zero] * len(slots), [zero] * len(slots), [zero] * len(slots)
    links = [[zero] * len(slots) for _ in slots]
    read_at = [[zero] * len(slots) for _ in heads]
    reads = [inputs.new_zeros(words) for _ in heads]
    (lstm,) = model.controller.linears()
    logits = []
    for shown in inputs:
        gates = lstm(torch.cat([shown, *reads, hidden])).chunk(4)
        cell = gates[1].sigmoid() * cell + gates[0].sigmoid() * gates[2].tanh()
        hidden = gates[3].sigmoid() * cell.tanh()
        left = model.interface(hidden)

        def take(count: int) -> Tensor:
            nonlocal left
            taken: Tensor = left[:count]
            left = left[count:]
            return taken

        keys = torch.split(take(len(heads) * words), words)
        strengths = oneplus(take(len(heads)))
        modes = [part.softmax(0) for part in torch.split(take(3 * len(heads)), 3)]
        free = take(len(heads)).sigmoid()
        write_key, write_strength = take(words), oneplus(take(1))[0]
        erase, vector = take(words).sigmoid(), take(words)
        allocate, write_gate = take(1).sigmoid()[0], take(1).sigmoid()[0]
        everything = torch.ones(words, dtype=inputs.dtype)
        masks, write_mask = [everything] * len(heads), everything
        if s.masked_lookup:
            masks = [part.sigmoid() for part in torch.split(take(len(heads) * words), words)]
            write_mask = take(words).sigmoid()
        sharpness = oneplus(take(2 * len(heads))) if s.sharpened_links else None
        assert not len(left)

        kept = [one_of(1 - free[r] * read_at[r][i] for r in heads) for i in slots]
        usage = [(usage[i] + written[i] - usage[i] * written[i]) * kept[i] for i in slots]
        alike = look_up(memory, write_key, write_strength, write_mask)
        in_order = sorted(slots, key=lambda i: float(usage[i].detach()))
        allocated, before = dict.fromkeys(slots, zero), zero + 1
        for i in in_order:
            used = EPSILON + (1 - EPSILON) * usage[i]
            allocated[i], before = (1 - used) * before, before * used
        written = [
            write_gate * (allocate * allocated[i] + (1 - allocate) * alike[i]) for i in slots
        ]
        memory = [
            memory[i] * (kept[i] if s.erase_freed else 1) * (1 - written[i] * erase)
            + written[i] * vector
            for i in slots
        ]
        links = [
            [
                zero
                if i == j
                else (1 - written[i] - written[j]) * links[i][j] + written[i] * precedence[j]
                for j in slots
            ]
            for i in slots
        ]
        all_written = sum(written, zero)
        precedence = [(1 - all_written) * precedence[i] + written[i] for i in slots]
        now = []
        for r in heads:
            after = [sum((links[i][j] * read_at[r][j] for j in slots), zero) for i in slots]
            ahead = [sum((links[j][i] * read_at[r][j] for j in slots), zero) for i in slots]
            if sharpness is not None:
                after = sharp(after, sharpness[r])
                ahead = sharp(ahead, sharpness[len(heads) + r])
            found = look_up(memory, keys[r], strengths[r], masks[r])
            back, content, forth = modes[r]
            now.append([back * ahead[i] + content * found[i] + forth * after[i] for i in slots])
        read_at = now
        reads = [sum((read_at[r][i] * memory[i] for i in slots), zero) for r in heads]
        logits.append(model.output(torch.cat([*reads, hidden])))
    return torch.stack(logits)


def oneplus(x: Tensor) -> Tensor:
    return 1 + (1 + x.exp()).log()


def one_of(factors: Any) -> Tensor:
    """The product."""
    result = torch.ones((), dtype=torch.float64)
    for factor in factors:
        result = result * factor
    return result


def look_up(memory: list[Tensor], key: Tensor, strength: Tensor, mask: Tensor) -> list[Tensor]:
    alike = []
    for word in memory:
        seen, wanted = word * mask, key * mask
        size = torch.linalg.vector_norm(seen) * torch.linalg.vector_norm(wanted)
        alike.append(((strength * (seen @ wanted)) / (size + EPSILON)).exp())
    return [part / sum(alike) for part in alike]


def sharp(weighting: list[Tensor], power: Tensor) -> list[Tensor]:
    raised = [(weight + EPSILON) ** power for weight in weighting]
    return [part / sum(raised) for part in raised]


@pytest.mark.parametrize(
    "mends",
    [
        (),
        ("masked_lookup",),
        ("erase_freed",),
        ("sharpened_links",),
        ("masked_lookup", "erase_freed", "sharpened_links"),
    ],
    ids=lambda mends: " and ".join(mends) or "none",
)
def test_same_outputs_and_gradients(mends: tuple[str, ...]) -> None:
    settings = DNCSettings(**SIZES, **dict.fromkeys(mends, True))
    model = DNC(INPUTS, OUTPUTS, settings).double()
    inputs = numbers(STEPS, BATCH, INPUTS, seed=8)
    pull = numbers(STEPS, BATCH, OUTPUTS, seed=9)
    runs: list[Callable[[Tensor], Tensor]] = [model, lambda shown: in_plain_loops(model, shown)]
    weights = list(model.parameters())
    found = []
    for run in runs:
        logits = run(inputs)
        found.append([logits, *torch.autograd.grad((logits * pull).sum(), weights)])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)
