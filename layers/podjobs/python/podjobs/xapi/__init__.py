"""xAPI: statements reach the learning record store, each once."""
