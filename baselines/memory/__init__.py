"""Models with an external memory beside the NTM."""
