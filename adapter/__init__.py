"""The adapter: takes Pod's jobs in at its doors, keeps them in Redis, and moves their steps to the functions."""
