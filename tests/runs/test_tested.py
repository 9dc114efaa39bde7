"""A test that is stopped goes on with the next length, to the same numbers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from torch import Tensor, nn

from ntmbench.evaluation.grid import evaluate_in_detail
from ntmbench.runs.tested import LengthsTested
from tests.tiny import TASK, lstm


class Counted(nn.Module):
    """A model that counts the steps it is run for, and stops at a number of sequences."""

    def __init__(self, stop_after: int = 10**9) -> None:
        super().__init__()
        self.inner = lstm()
        self.left = stop_after
        self.steps: list[int] = []

    def forward(self, inputs: Tensor) -> Tensor:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        self.steps.append(len(inputs))
        logits: Tensor = self.inner(inputs)
        return logits


def test_a_stopped_test_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    path, lengths = tmp_path / "tested.json", [2, 3, 5]
    whole = evaluate_in_detail(Counted(), TASK, lengths=lengths, sequences=8)
    with pytest.raises(KeyboardInterrupt):
        evaluate_in_detail(
            Counted(stop_after=2),
            TASK,
            lengths=lengths,
            sequences=8,
            keeper=LengthsTested(path, "a"),
        )
    again = Counted()
    kept = LengthsTested(path, "a")
    found = evaluate_in_detail(again, TASK, lengths=lengths, sequences=8, keeper=kept)
    assert again.steps == [11]  # the last length alone
    pd.testing.assert_frame_equal(found.by_length, whole.by_length, check_exact=True)
    pd.testing.assert_frame_equal(found.by_position, whole.by_position, check_exact=True)
    kept.forget()
    assert not path.exists()


def test_a_changed_digit_is_found(tmp_path: Path) -> None:
    path = tmp_path / "tested.json"
    evaluate_in_detail(Counted(), TASK, lengths=[2], sequences=8, keeper=LengthsTested(path, "a"))
    assert LengthsTested(path, "a").get(2) is not None
    path.write_text(path.read_text().replace('"sequences": 8', '"sequences": 9', 1))
    assert LengthsTested(path, "a").get(2) is None


def test_other_weights_are_tested_again(tmp_path: Path) -> None:
    path = tmp_path / "tested.json"
    evaluate_in_detail(Counted(), TASK, lengths=[2], sequences=8, keeper=LengthsTested(path, "a"))
    model = Counted()
    evaluate_in_detail(model, TASK, lengths=[2], sequences=8, keeper=LengthsTested(path, "b"))
    assert model.steps == [5]
    assert LengthsTested(path, "a").get(2) is None
    assert LengthsTested(path, "b").get(2) is not None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"weights": "a"}', '{"weights": 1, "lengths": 2}']
)
def test_what_is_damaged_is_tested_again(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tested.json"
    path.write_text(content)
    model = Counted()
    evaluate_in_detail(model, TASK, lengths=[2], sequences=8, keeper=LengthsTested(path, "a"))
    assert model.steps == [5]
