"""Jobs, what travels between adapter and functions, and the ports. Pure: stdlib and pydantic only."""
