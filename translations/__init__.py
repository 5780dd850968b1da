"""``python -m translations``: from the code to the catalogues of django_rqlite/locale, and back."""
