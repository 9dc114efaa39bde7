"""Composition: what a run is put together from, as Hydra learns it."""
