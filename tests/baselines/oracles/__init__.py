"""Models beside another implementation of the same equations, with the same weights."""
