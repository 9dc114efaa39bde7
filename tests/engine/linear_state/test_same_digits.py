"""The kernels compute the same digits whatever the processor and the libraries."""

from __future__ import annotations

import pytest

from ntmbench.engine.linear_state.kernels import backward, forward
from tests.engine.linear_state.digits import digests
from tests.engine.same_digits import (
    check_fused_where_written,
    lesser_processors,
    on_x86,
    printed,
)


@pytest.mark.slow
@on_x86
@lesser_processors
def test_the_same_digits_without_avx512(environment: dict[str, str]) -> None:
    assert printed("tests.engine.linear_state.digits", environment) == digests()


@pytest.mark.slow
@on_x86
@pytest.mark.parametrize("kernel", [forward.run_forward, backward.run_backward])
def test_products_and_sums_are_fused_only_where_it_is_written(kernel: object) -> None:
    digests()
    assert check_fused_where_written(kernel) > 0
