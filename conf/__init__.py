"""What combines: budgets, recipes and experiments, as YAML that Hydra reads."""
