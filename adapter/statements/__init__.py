"""xAPI statements on their way to the LRS: stored in Redis, batched, delivered, and the poisonous ones found."""
