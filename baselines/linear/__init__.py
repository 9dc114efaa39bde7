"""Memories whose state is a matrix per head, and their kin."""
