"""Faults and bad input, counted: `python -m tests.faults` prints how each campaign went."""
