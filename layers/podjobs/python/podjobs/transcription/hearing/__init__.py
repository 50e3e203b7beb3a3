"""Hearing: reads the sound, finds where somebody speaks, and packs speech into the windows that a model transcribes."""
