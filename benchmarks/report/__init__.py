"""The report: arithmetic, tables and targets."""
