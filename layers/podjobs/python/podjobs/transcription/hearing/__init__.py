"""Hearing: reads the sound, detects speech, and packs it into the windows that a model transcribes."""
