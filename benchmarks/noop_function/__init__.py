"""A function that does nothing, as a deployable: what is left is the way to it and back."""
