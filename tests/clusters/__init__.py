"""Tests of sweeps on clusters."""
