"""Durations as people write them: ``90``, ``'90'``, ``'1h30m'``. No I/O."""

from __future__ import annotations

import math
import re
from numbers import Integral, Real
from typing import Final

from ..exceptions import InvalidDurationError

#: Means "for ever" for a TTL and "no limit" for a timeout, as in RQ.
FOREVER: Final = -1

#: A hundred years in seconds. Redis refuses an expiry that overflows its clock, which would end a
#: script in the middle. A longer duration is a mistake, or means :data:`FOREVER`.
LONGEST: Final = 100 * 365 * 86400

_SECONDS: Final = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_NUMBER: Final = re.compile(r"-?[0-9]+")
_PARTS: Final = re.compile(
    r"(?:(?P<d>[0-9]+)d)?\s*(?:(?P<h>[0-9]+)h)?\s*(?:(?P<m>[0-9]+)m)?\s*(?:(?P<s>[0-9]+)s)?",
    re.IGNORECASE,
)


def parse_duration(
    value: int | float | str | None, *, name: str, minimum: int = 0, forever: bool = True
) -> int | None:
    """A duration in whole seconds.

    Fractions are rounded up, so that nothing gets less time than was asked for. (RQ rounds down.)

    Args:
        value: None (use the default), which stays None; seconds; or text: a whole number, or days,
            hours, minutes and seconds in this order (``'2d'``, ``'1h30m'``, ``'1H 30M'``).
        name: the name of the value in errors, for example ``"job_timeout"``.
        minimum: the smallest number of seconds that is accepted.
        forever: whether ``-1`` (for ever, no limit) is accepted. It stays ``-1``.

    Raises:
        InvalidDurationError: the value is anything else. The message has ``name`` and the value.
    """
    if value is None:
        return None
    seconds = _seconds(value)
    if seconds is None:
        raise InvalidDurationError(
            f"{name} is {value!r}, which is not a duration. Use seconds (90) or a form such as"
            f" '90s', '1h30m' or '2d'{_or_forever(forever)}."
        )
    if seconds == FOREVER and forever:
        return FOREVER
    if seconds < minimum:
        raise InvalidDurationError(
            f"{name} is {value!r}, but the least is {minimum} s{_or_forever(forever)}."
        )
    if seconds > LONGEST:
        raise InvalidDurationError(
            f"{name} is {value!r}, but the most is a hundred years ({LONGEST} s)"
            f"{_or_forever(forever)}."
        )
    return seconds


def _seconds(value: object) -> int | None:
    """The number of seconds, or None if ``value`` is not a duration."""
    # A bool is an int in Python, but True does not mean one second.
    if isinstance(value, bool):
        return None
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        # Rounded up, -1.5 would mean "for ever".
        is_one = math.isfinite(number) and (number >= 0 or number.is_integer())
        return math.ceil(number) if is_one else None
    if not isinstance(value, str) or len(value) > 50:
        return None
    text = value.strip()
    if _NUMBER.fullmatch(text):
        return int(text)
    parts = _PARTS.fullmatch(text) if text else None
    if parts is None:
        return None
    return sum(int(n) * _SECONDS[unit] for unit, n in parts.groupdict().items() if n)


def _or_forever(forever: bool) -> str:
    return ", or -1 for no limit" if forever else ""
