"""Modules that go wrong in their own way when a worker imports them."""
