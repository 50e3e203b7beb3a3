"""Captions: words become text units, text units become lines, lines become timed cues, cues become WebVTT. Pure."""
