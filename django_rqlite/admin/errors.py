"""Why a page has nothing to show. The text of each error is a sentence for people."""

from __future__ import annotations


class Unavailable(Exception):
    """A server does not answer, or its settings cannot be used. Contains no secrets."""


class NotFound(Exception):
    """The queue, job, worker or page that an address names does not exist."""
