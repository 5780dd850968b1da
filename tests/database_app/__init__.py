"""An app whose jobs ask the database while they are imported."""
