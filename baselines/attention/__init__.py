"""Transformers: every step attends to the steps before it."""
