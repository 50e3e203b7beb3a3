"""The library behind every pod-functions deployable: the contract, the subjects and their backends."""

__version__ = "0.1.0"
