"""The app whose jobs everybody runs."""
