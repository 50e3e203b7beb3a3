"""How a function is reached: one endpoint that does not know any transport, and one module per transport."""
