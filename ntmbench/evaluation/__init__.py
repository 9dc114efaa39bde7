"""A model on data: scores, the test grid, one example as it was answered."""
