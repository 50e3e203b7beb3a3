"""Hallucinations: text that a speech model writes though nobody said it, found and left out."""
