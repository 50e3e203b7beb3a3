"""The library behind every pod-functions deployable: the contract, the subjects and their backends."""
