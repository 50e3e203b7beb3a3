"""Notification: Pod is told how a job ended."""
