"""Metrics and traces of the adapter."""
