"""What is told to monitoring: numbers for Prometheus, spans for OpenTelemetry. Nothing depends on it."""
