"""What operators use: the commands, the HTTP server with its health and status pages, and replay of dead letters."""
