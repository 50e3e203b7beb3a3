"""What operators change: jobs are cancelled and retried, functions paused, adapters drained, dead letters replayed."""
