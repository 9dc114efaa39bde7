"""The small number that keeps the DNC's quotients, products and logarithms away from zero."""

EPSILON = 1e-6
