"""Training through ``train`` with either engine of the NTM, and with any number of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

from ntmbench import make_model, make_task
from ntmbench.training.loop import train
from ntmbench.training.observer import Observer
from ntmbench.training.settings import TrainSettings


class Losses(Observer):
    """Keeps the loss of every step."""

    def __init__(self) -> None:
        self.bits: list[float] = []

    def stepped(self, sequences: int, loss_bits: Callable[[], float]) -> None:
        self.bits.append(loss_bits())


def settings(steps: int, batch_size: int) -> TrainSettings:
    return TrainSettings(
        sequences=steps * batch_size,
        batch_size=batch_size,
        validate_every=steps * batch_size,
        validation_sequences=32,
        selection_sequences=16,
    )


def trained(
    engine: str, steps: int, batch_size: int, max_length: int
) -> tuple[list[float], list[torch.Tensor]]:
    """The loss of every step, and the weights at the end."""
    task = make_task("copy", max_length=max_length)
    model = make_model(
        "ntm", task.input_width, task.output_width, seed=3, engine=engine, memory_slots=16
    )
    losses = Losses()
    train(model, task, settings(steps, batch_size), seed=3, device="cpu", observer=losses)
    return losses.bits, [weight.detach() for weight in model.parameters()]


def test_both_engines_follow_the_same_learning_curve_for_a_hundred_steps() -> None:
    fused, _ = trained("fused", steps=100, batch_size=4, max_length=6)
    eager, _ = trained("eager", steps=100, batch_size=4, max_length=6)
    # Rounding errors are 2e-7 by then; an error in a gradient shows at once.
    assert fused == pytest.approx(eager, rel=1e-5)
    assert len(set(fused)) == 100


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("batch_size", [3, 16, 24])
def test_a_run_has_the_same_bits_on_one_and_two_threads_and_again(batch_size: int) -> None:
    # Long enough for the threads to share the weights' gradients too.
    runs = []
    for count in (1, 2, 2):
        torch.set_num_threads(count)
        runs.append(trained("fused", steps=12, batch_size=batch_size, max_length=20))
    losses, weights = runs[0]
    for other_losses, other_weights in runs[1:]:
        assert other_losses == losses
        assert all(torch.equal(a, b) for a, b in zip(weights, other_weights, strict=True))


def test_weights_own_their_memory_after_training() -> None:
    # During training they are parts of one vector, which pickling any of them would include whole.
    _, weights = trained("fused", steps=2, batch_size=2, max_length=3)
    assert all(
        weight.untyped_storage().nbytes() == weight.numel() * weight.element_size()
        for weight in weights
    )
