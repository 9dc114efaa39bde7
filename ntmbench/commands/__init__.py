"""Commands: the Hydra application, override checks, sweeps, campaigns, help."""
