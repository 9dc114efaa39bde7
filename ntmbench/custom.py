"""`model=custom model.target=my_module:MyModel`: any importable nn.Module as a model."""
