"""The site with django_rqlite."""
