"""What Pod asks, what travels between adapter and functions, and the ports: pure, standard library and pydantic only."""
