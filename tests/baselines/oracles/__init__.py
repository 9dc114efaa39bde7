"""Tests of the other models, and those from outside."""
