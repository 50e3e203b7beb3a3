"""The settings by which operators see, steer and are told; no job depends on them. A module for each group."""
