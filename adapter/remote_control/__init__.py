"""Celery's remote control, answered by the adapter: `celery inspect`, `celery control`, flower.

The messages are those of kombu's pidbox on Redis (mailbox.py); an adapter appears as one worker, a node, for each of
Pod's queues that it reads (roster.py). Why without kombu: docs/decisions/0059.
"""
