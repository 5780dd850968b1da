"""RQ's layout in Redis: the names of keys, the records, and how values are encoded. No I/O."""
