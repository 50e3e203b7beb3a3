"""How a function is reached: one endpoint that knows no transport, and a module a transport that leads to it."""
