"""Track: keep up a state that every symbol may change."""
