"""From samples to what a person reads: arithmetic, tables, and what must be shown."""
