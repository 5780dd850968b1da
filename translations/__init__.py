"""``python -m translations``: updates the catalogues in django_rqlite/locale from the code."""
