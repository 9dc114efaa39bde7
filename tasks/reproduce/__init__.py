"""Reproduce: give back what was shown."""
