"""What is read from Redis about jobs, steps, dead letters and adapters, for commands and pages; nothing is changed."""
