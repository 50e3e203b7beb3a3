"""Why a job waits, and when it will be ready: the queue of steps is played forward from what Redis holds now."""
