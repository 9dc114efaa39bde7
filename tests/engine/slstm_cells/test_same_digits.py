"""The kernels compute the same digits whatever the processor and the libraries."""

from __future__ import annotations

import pytest

from ntmbench.engine.slstm_cells.kernels import backward, forward
from tests.engine.same_digits import (
    check_fused_where_written,
    lesser_processors,
    on_x86,
    printed,
)
from tests.engine.slstm_cells.digits import digests


@pytest.mark.slow
@on_x86
@lesser_processors
def test_the_same_digits_without_avx512(environment: dict[str, str]) -> None:
    assert printed("tests.engine.slstm_cells.digits", environment) == digests()


@pytest.mark.slow
@on_x86
@pytest.mark.parametrize(
    "kernel",
    [forward.run_forward, backward.run_backward, backward.find_recurrent_gradient],
)
def test_products_and_sums_are_fused_only_where_it_is_written(kernel: object) -> None:
    digests()
    assert check_fused_where_written(kernel) > 0
