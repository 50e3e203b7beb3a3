"""Redis as the adapter uses it: connections, keys, streams, heartbeats, and retries while the server is unavailable."""
