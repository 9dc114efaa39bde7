"""Order: sort what was shown before."""
