"""Text and times for people: of limited length, and harmless with any bytes from Redis."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..protocol.problems import Problem

#: Characters that are shown of the beginning of a traceback, and of its end, which matters more.
TRACEBACK_HEAD = 4_000
TRACEBACK_TAIL = 16_000

#: Characters of a log line that are shown, and characters of the end of a log.
MAX_LINE_LENGTH = 4_000
LOG_TAIL = 60_000

#: Characters that change the writing direction until another one restores it.
_DIRECTION_MARKS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Text that can be encoded: bytes from Redis that are not UTF-8 are escaped."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def truncated(text: str, limit: int) -> str:
    """Printable text of at most ``limit`` characters. A problem is translated."""
    if isinstance(text, Problem):
        text = translated(text)
    return printable(text if len(text) <= limit else text[:limit] + "…")


def shortened(text: str, limit: int) -> str:
    """Truncated text for the middle of a sentence: it cannot change the writing direction.

    The template filter of this name isolates the text by markup instead.
    """
    return _DIRECTION_MARKS.sub(lambda found: f"\\u{ord(found[0]):04x}", truncated(text, limit))


def quoted_names(names: Sequence[str], limit: int) -> str:
    """The first names in quotes; an ellipsis if there are more than ``limit``."""
    quoted = [f"“{shortened(name, 60)}”" for name in names[:limit]]
    return ", ".join([*quoted, *(["…"] if len(names) > limit else [])])


def translated(problem: Problem) -> str:
    """A problem in the current language."""
    template = _(problem.template)
    if not problem.values:
        return template
    return template % {
        name: translated(value) if isinstance(value, Problem) else value
        for name, value in problem.values.items()
    }


def traceback(text: str) -> str:
    """Printable text of a traceback; the middle of a long one is left out."""
    left_out = len(text) - TRACEBACK_HEAD - TRACEBACK_TAIL
    if left_out <= 0:
        return printable(text)
    note = ngettext(
        "… %(count)d character left out …", "… %(count)d characters left out …", left_out
    ) % {"count": left_out}
    return printable(f"{text[:TRACEBACK_HEAD]}\n{note}\n{text[-TRACEBACK_TAIL:]}")


#: The beginning of a stored log line: its time in UTC, as execution/job_log.py writes it.
_LOGGED_AT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{3})Z ")


def log(lines: Sequence[str]) -> str:
    """A job's log as one text, with times in the current time zone; the end of a long one."""
    text = "\n".join(_local(shortened(line, MAX_LINE_LENGTH)) for line in lines)
    return text if len(text) <= LOG_TAIL else "…\n" + text[-LOG_TAIL:].partition("\n")[2]


def _local(line: str) -> str:
    start = _LOGGED_AT.match(line)
    if not start:
        return line
    try:
        moment = datetime.fromisoformat(start[1]).replace(tzinfo=UTC)
    except ValueError:
        return line
    return f"{local_time(moment)}.{start[2]} {line[start.end() :]}"


def last_line(text: str) -> str:
    """The last line of a traceback, which names the error."""
    lines = text[-TRACEBACK_TAIL:].strip().splitlines()
    return lines[-1].strip() if lines else ""


def from_timestamp(score: float | None) -> datetime | None:
    """The time of a score in unix seconds; None if it is not a time (``+inf``, −1, …)."""
    if score is None or score < 0:
        return None
    try:
        return datetime.fromtimestamp(score, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def now() -> datetime:
    """The current time, aware and in UTC like all stored times.

    Django's ``timezone.now()`` is naive if ``USE_TZ`` is False.
    """
    return datetime.now(UTC)


def local_time(moment: datetime) -> str:
    """A time in the current time zone, to the second."""
    try:
        return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError):  # on the first and the last day of the calendar
        return moment.isoformat(" ", "seconds")


def duration(seconds: float) -> str:
    """``3 s``, ``2 min 5 s``, ``4 h 10 min``, ``3 d 2 h``."""
    if 0 < seconds < 1:
        return _("%(count)d ms") % {"count": round(seconds * 1000)}
    whole = int(seconds)
    minutes, s = divmod(whole, 60)
    hours, m = divmod(minutes, 60)
    d, h = divmod(hours, 24)
    if d:
        return _("%(d)d d %(h)d h") % {"d": d, "h": h} if h else _("%(d)d d") % {"d": d}
    if h:
        return _("%(h)d h %(m)d min") % {"h": h, "m": m} if m else _("%(h)d h") % {"h": h}
    if m:
        return _("%(m)d min %(s)d s") % {"m": m, "s": s} if s else _("%(m)d min") % {"m": m}
    return _("%(s)d s") % {"s": s}


def relative(moment: datetime, *, coarse: bool = False) -> str:
    """``3 s ago``, ``in 4 h 10 min``.

    Args:
        coarse: Whether to use the largest unit only: ``in 4 h``.
    """
    seconds = int((now() - moment).total_seconds())
    distance = abs(seconds)
    if coarse:
        unit = next((unit for unit in (86400, 3600, 60) if distance >= unit), 1)
        distance -= distance % unit
    if seconds >= 0:
        return _("%(duration)s ago") % {"duration": duration(distance)}
    return _("in %(duration)s") % {"duration": duration(distance)}
