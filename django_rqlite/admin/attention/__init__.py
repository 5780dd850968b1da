"""What needs a person first: what is stuck, since when, and why."""
