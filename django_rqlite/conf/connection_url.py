"""The ``URL`` of a connection setting. Nothing here shows a part of a URL: it may be a password."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit


def url_problem(url: object) -> str | None:
    """Return what is wrong with a connection URL; None if it is valid.

    The sentence contains no part of the URL: in a URL that is split at the wrong place, pieces of
    the password can be anywhere.
    """
    if not isinstance(url, str) or not url:
        return "must be text such as 'redis://localhost:6379/0' (is an environment variable unset?)"
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("redis", "rediss", "unix"):
        return "must begin with redis://, rediss:// or unix://"
    unescaped = "cannot be read; write special characters of the password percent-encoded"
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises ValueError if the port is not a number
    except ValueError:
        return unescaped
    if scheme == "unix":
        if parts.netloc and "@" not in parts.netloc:
            return "must have three slashes before the socket's path: unix:///run/redis.sock"
        return None if parts.path.strip("/") else "must name the socket's path"
    # A '/', '?' or '#' in an unescaped password ends the host too early; the '@' comes after it.
    if "@" in rest and "@" not in parts.netloc:
        return unescaped
    return None


def keys_in_url(url: str) -> set[str]:
    """Return which of ``DB``, ``USERNAME`` and ``PASSWORD`` a valid URL itself contains."""
    parts = urlsplit(url)
    query = {key for key, value in parse_qsl(parts.query) if value}
    contained = {
        "DB": "db" in query or (parts.scheme != "unix" and parts.path.strip("/").isdecimal()),
        "USERNAME": "username" in query or bool(parts.username),
        "PASSWORD": "password" in query or bool(parts.password),
    }
    return {key for key, is_contained in contained.items() if is_contained}


def has_query_option(url: object, name: str) -> bool:
    """Return whether a valid URL has the query option ``name``; False for an invalid URL."""
    if not isinstance(url, str) or url_problem(url):
        return False
    return any(key == name for key, _ in parse_qsl(urlsplit(url).query))
