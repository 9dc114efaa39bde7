"""Controls: what the other models are judged by."""
