"""What an operator sees and does: the commands, the HTTP server's routes, and replay of dead letters."""
