"""Nest: what was begun last is ended first."""
