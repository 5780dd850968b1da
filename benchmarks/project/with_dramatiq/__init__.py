"""The site with dramatiq."""
