"""Modules under django-rq's names."""
