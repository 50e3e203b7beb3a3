"""What `podjobs check` examines."""
