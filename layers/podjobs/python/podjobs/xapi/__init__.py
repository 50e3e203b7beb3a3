"""xAPI: statements reach the learning record store, each exactly once."""
