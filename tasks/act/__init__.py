"""Tasks that imitate actions: what must be remembered to act."""
