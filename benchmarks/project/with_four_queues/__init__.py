"""The site with django_rqlite, and with more than one queue: what its admin is measured on."""
