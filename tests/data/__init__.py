"""Tests of the data and of the files."""
