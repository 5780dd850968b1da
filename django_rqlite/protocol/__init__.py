"""RQ's layout in Redis: keys, records, and the encoding of values. No I/O."""
