"""Composes the sources of a studio recording into one file: with encoding's own pieces, by the same deployable."""
