"""One run of one job, from the call of its function until its outcome is stored."""
