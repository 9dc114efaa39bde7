"""Associate: answer a key with what belongs to it."""
