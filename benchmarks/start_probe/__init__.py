"""A start that is watched."""
