"""xAPI statements on their way to the LRS: stored in Redis, batched, delivered; poisonous ones are found."""
