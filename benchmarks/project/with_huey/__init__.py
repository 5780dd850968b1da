"""The site with huey, by its Django app."""
