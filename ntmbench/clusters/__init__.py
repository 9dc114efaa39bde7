"""Sweeps whose cells run on a cluster, in chunks: many short cells in one job."""
