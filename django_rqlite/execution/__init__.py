"""One run of one job, from its call to the storing of its outcome."""
