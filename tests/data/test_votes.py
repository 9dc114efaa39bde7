"""The share that votes save, against counts of all cases."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest

from ntmbench.data.votes import saved_by_votes


@pytest.mark.parametrize(("count", "values"), [(1, 3), (2, 2), (3, 2), (5, 2), (4, 3), (6, 4)])
def test_votes_save_what_the_most_frequent_value_does(count: int, values: int) -> None:
    largest = [max(Counter(case).values()) for case in product(range(values), repeat=count)]
    right = sum(largest) / len(largest) / count
    assert saved_by_votes(count, values) == pytest.approx(1 - (1 - right) / (1 - 1 / values))


def test_more_values_save_less_and_very_many_are_no_trouble() -> None:
    shares = [saved_by_votes(count, 8) for count in (1, 2, 4, 16, 64, 100_000)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == pytest.approx(1)
    assert shares[-1] == shares[-2]
    assert 0 < saved_by_votes(64, 4096) < 0.05
