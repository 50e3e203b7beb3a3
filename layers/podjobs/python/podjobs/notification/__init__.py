"""Notification: whoever asked for a job is notified of how it ended."""
