"""The layout of a question and its answer, step by step."""

from __future__ import annotations

import numpy as np

from ntmbench.data.layout import ended_by_delimiter, first_raised, question_and_answer


def test_the_input_is_silent_while_the_answer_is_scored() -> None:
    vectors = np.ones((3, 2, 4), np.uint8)
    question = ended_by_delimiter(vectors, width=6, delimiter=5)
    batch = question_and_answer(question, vectors[:2])
    assert batch.answer_start == 4
    assert np.array_equal(batch.inputs[:3], np.ones((3, 2, 6)) * [1, 1, 1, 1, 0, 0])
    assert np.array_equal(batch.inputs[3], np.ones((2, 6)) * [0, 0, 0, 0, 0, 1])
    assert not batch.inputs[4:].any()
    assert batch.mask.T.tolist() == [[0, 0, 0, 0, 1, 1]] * 2
    assert batch.targets.sum(axis=(1, 2)).tolist() == [0, 0, 0, 0, 8, 8]
    assert first_raised(batch.inputs[:, :, 5]) == 3
