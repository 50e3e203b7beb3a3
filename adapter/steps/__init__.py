"""Jobs and their steps: stored in Redis, dispatched to functions, retried, reclaimed from adapters that are gone."""
