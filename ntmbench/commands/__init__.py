"""The command line: a Hydra application, the checks before it, sweeps, campaigns and help."""
