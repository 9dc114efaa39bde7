"""Figures from runs: intervals, paired tests, survival.

Seeds are the unit of replication. A run that never reached something counts as infinite, so that
no median is taken over the lucky runs alone. SciPy computes what it can. Everything random is
seeded, so that the same values give the same figures.
"""
