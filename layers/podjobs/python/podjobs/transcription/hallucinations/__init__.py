"""Hallucinations: finds and drops text that a speech model writes although nobody said it."""
