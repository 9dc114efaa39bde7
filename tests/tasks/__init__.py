"""Tests of tasks, answers and the conformance kit."""
