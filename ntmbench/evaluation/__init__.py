"""How a model does on data: scores, the test grid, and one answered example."""
