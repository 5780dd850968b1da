"""The site with django_rqlite and several queues, whose admin is measured."""
