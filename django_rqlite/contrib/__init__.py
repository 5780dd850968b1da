"""Modules by the names that django-rq has for them."""
