"""Predict: say what comes next."""
