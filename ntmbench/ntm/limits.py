"""Where numbers are kept from growing or vanishing: the same in every engine."""

#: Added to squared norms: a row or key much shorter than 1e-6 counts as pointing nowhere.
SQUARED_NORM_FLOOR = 1e-12
#: Weights below count as this in the logarithm: above float32's smallest normal number.
WEIGHT_FLOOR = 1e-30
#: Head outputs above count as this before the softplus. It bounds key strength and sharpening
#: where both are long since decisive, and with them the gradients that they multiply.
SOFTPLUS_LIMIT = 50.0
