"""Celery's remote control: the adapter answers `celery inspect` and `celery control` as workers do."""
