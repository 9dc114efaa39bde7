"""Translate: put sentences of one language into another."""
