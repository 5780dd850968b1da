"""Why a page has nothing to show. The text of each error is a sentence for people."""

from __future__ import annotations


class Unavailable(Exception):
    """A server does not answer, or its settings cannot be used. Contains no secrets."""


class NotFound(Exception):
    """What an address names does not exist."""
