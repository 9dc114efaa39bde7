"""Tests of what is installed and told, and which part may import which."""
