"""Tests of the package as a whole: what is installed, who imports whom, and README."""
