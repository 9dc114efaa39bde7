"""Lengths of a task: their checks, and those at which weights are selected and tested."""

from __future__ import annotations

from dataclasses import dataclass

from ntmbench.errors import check_range

# Larger sizes are taken for typing errors. They would exhaust the memory of most machines.
MAX_BITS = 1024
MAX_LENGTH = 100_000
MAX_SEQUENCES = 2**17


def check_sizes(
    bits: int, min_length: int, max_length: int, *, shortest: int = 1, max_bits: int = MAX_BITS
) -> None:
    """Check a task's vector width and its range of lengths, from ``shortest`` on.

    Raises:
        SettingError: naming the setting and what is allowed.
    """
    check_range("task.bits", bits, 1, max_bits)
    check_length_range(min_length, max_length, shortest=shortest)


def check_length_range(min_length: int, max_length: int, *, shortest: int = 1) -> None:
    """Check a task's range of lengths, from ``shortest`` on.

    Raises:
        SettingError: naming the setting and what is allowed.
    """
    check_range("task.max_length", max_length, shortest, MAX_LENGTH)
    check_range("task.min_length", min_length, shortest, max_length)


@dataclass(frozen=True)
class Lengths:
    """Selection and test lengths, stated for a training range that ends at ``trained_to``.

    Attributes:
        trained_to: the longest training length that ``test`` is meant for.
        test: the test grid, which is scaled with the longest training length of the settings.
        select: shares of the longest training length at which weights are selected, each a
            numerator and a denominator; (1, 1) is that length itself.
        far: one more test length, which is not scaled, if the grid ends below it; 0 for none.
    """

    trained_to: int
    test: tuple[int, ...]
    select: tuple[tuple[int, int], ...]
    far: int = 0

    def selected(self, longest: int) -> tuple[int, ...]:
        """The selection lengths for a longest training length, ascending."""
        return tuple(
            sorted(
                {
                    longest if share == (1, 1) else max(longest + 1, longest * share[0] // share[1])
                    for share in self.select
                }
            )
        )

    def tested(self, shortest: int, longest: int) -> tuple[int, ...]:
        """The test lengths for a training range, ascending.

        Scaled lengths are rounded down. None is below ``shortest``; ``longest`` is always one of
        them.
        """
        scaled = {max(shortest, length * longest // self.trained_to) for length in self.test}
        grid = sorted(scaled | {longest})
        return (*grid, self.far) if grid[-1] < self.far else tuple(grid)
