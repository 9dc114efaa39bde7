"""Runs: one from its settings to its folder, and many folders read back as tables."""
