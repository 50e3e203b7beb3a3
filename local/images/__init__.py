"""`scripts/images`: builds the images of the adapter and the functions, and lists what they contain.

Standard library only: a machine that builds images need not be one that runs them.
"""
