"""What serves other programs, and needs an extra for it."""
