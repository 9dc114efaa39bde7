"""Reason: draw conclusions from facts, in sentences of made-up words."""
