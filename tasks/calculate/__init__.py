"""Calculate: from the digits of numbers to those of another, and numbers themselves."""
