"""Training: the loop, attempts, selection, optimizers, checkpoints, observers."""
