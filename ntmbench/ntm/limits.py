"""Limits that keep numbers from growing or vanishing, the same in every engine."""

#: Added to squared norms: a row or key much shorter than 1e-6 counts as pointing nowhere.
SQUARED_NORM_FLOOR = 1e-12
#: Smaller weights count as this in the logarithm. It is above float32's smallest normal number.
WEIGHT_FLOOR = 1e-30
#: Larger head outputs count as this before the softplus. It bounds key strength and sharpening,
#: which are decisive long before, and the gradients that they multiply.
SOFTPLUS_LIMIT = 50.0
