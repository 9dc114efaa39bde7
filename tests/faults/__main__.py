"""`python -m tests.faults [number] [seed]`: random command lines, and how they ended."""

from __future__ import annotations

import sys

from tests.faults.command_lines import report

if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    number, seed = [*given, *(300, 0)[len(given) :]]
    sys.exit(1 if report(number, seed) else 0)
