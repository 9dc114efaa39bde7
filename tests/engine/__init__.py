"""Tests of the kernel toolkit."""
