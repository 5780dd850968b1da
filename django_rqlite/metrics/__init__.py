"""The figures of all queues, for other programs."""
