"""The benchmark against other job queues: ``make bench``. README.md describes the measurements."""
