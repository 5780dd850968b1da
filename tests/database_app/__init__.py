"""An app whose module ``jobs`` uses the database while it is imported."""
