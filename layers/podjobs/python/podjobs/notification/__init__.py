"""Notification: whoever requested a job is notified of its outcome."""
