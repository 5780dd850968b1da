"""The processes that run jobs, and the worker's side of them."""
