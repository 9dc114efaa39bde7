"""Figures from runs: intervals, paired tests, survival.

Seeds are the unit of replication. A run that never got somewhere counts with infinity there, so
that no median is taken over the lucky ones alone. SciPy computes what it has; what is random is
seeded, so that the same values give the same figures.
"""
