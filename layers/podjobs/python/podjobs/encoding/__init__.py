"""Encoding: turns one video into Pod's ladder, in exact chunks that are encoded once and packaged by stream copy."""
