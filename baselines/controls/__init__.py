"""Controls, by which the other models are judged."""
