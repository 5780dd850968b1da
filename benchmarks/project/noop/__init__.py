"""The app with the jobs of all contestants."""
