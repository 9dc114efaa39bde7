"""Order: sort what was shown."""
