"""Values as text for people: of bounded length, and harmless whatever was stored."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..protocol import codec
from ..protocol import safe_repr as inert
from ..protocol.problems import Problem

#: Bytes above which a serialized value is not looked into.
LARGEST_VALUE = 8_000_000

#: Arguments, and characters of each, that are shown at the most.
MOST_ARGUMENTS = 100
LONGEST_VALUE = 2000

#: Characters of a traceback: its beginning, and its end, which says more.
TRACEBACK_HEAD = 4_000
TRACEBACK_TAIL = 16_000

#: Characters of a log's line, and of the end of a log.
LONGEST_LINE = 4_000
LOG_TAIL = 60_000


#: Marks that change the direction of writing until another one ends that.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Text that any encoding can hold: bytes of Redis that are no UTF-8 are escaped."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def cut(text: str, limit: int) -> str:
    """Printable text, cut off after ``limit`` characters. Problems in the page's language."""
    if isinstance(text, Problem):
        text = worded(text)
    return printable(text if len(text) <= limit else text[:limit] + "…")


def shortened(text: str, limit: int) -> str:
    """The same for the middle of a sentence, which nothing in it turns around.

    Templates have a filter of this name, which isolates the text by markup instead.
    """
    return _TURNING.sub(lambda found: f"\\u{ord(found[0]):04x}", cut(text, limit))


def worded(problem: Problem) -> str:
    """A problem in the current language."""
    template = _(problem.template)
    if not problem.values:
        return template
    return template % {
        name: worded(value) if isinstance(value, Problem) else value
        for name, value in problem.values.items()
    }


def traceback(text: str) -> str:
    """Printable text of which the middle is left out where it is too long."""
    left_out = len(text) - TRACEBACK_HEAD - TRACEBACK_TAIL
    if left_out <= 0:
        return printable(text)
    note = ngettext(
        "… %(count)d character left out …", "… %(count)d characters left out …", left_out
    ) % {"count": left_out}
    return printable(f"{text[:TRACEBACK_HEAD]}\n{note}\n{text[-TRACEBACK_TAIL:]}")


#: How a kept line of a job's log begins: its time in UTC, as job_log.py writes it.
_LOGGED_AT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{3})Z ")


def log(lines: Sequence[str]) -> str:
    """A job's log as one text, in the page's time zone; of a long one, the end."""
    text = "\n".join(_local(shortened(line, LONGEST_LINE)) for line in lines)
    return text if len(text) <= LOG_TAIL else "…\n" + text[-LOG_TAIL:].partition("\n")[2]


def _local(line: str) -> str:
    begins = _LOGGED_AT.match(line)
    if not begins:
        return line
    try:
        moment = datetime.fromisoformat(begins[1]).replace(tzinfo=UTC)
    except ValueError:
        return line
    return f"{clock(moment)}.{begins[2]} {line[begins.end() :]}"


def last_line(text: str) -> str:
    """What a traceback comes to."""
    lines = text[-TRACEBACK_TAIL:].strip().splitlines()
    return lines[-1].strip() if lines else ""


def unix(score: float | None) -> datetime | None:
    """The time that a score stands for; None where it is none (``+inf``, −1, nonsense)."""
    if score is None or score < 0:
        return None
    try:
        return datetime.fromtimestamp(score, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def now() -> datetime:
    """The current time, aware and in UTC as all that is stored.

    Django's ``timezone.now()`` is naive where ``USE_TZ`` is False.
    """
    return datetime.now(UTC)


def clock(moment: datetime) -> str:
    """A point in time in the current time zone, to the second."""
    try:
        return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError):  # the first and the last day of the calendar
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
    """``3 s ago``, ``in 4 h 10 min``; coarse: with the largest unit only, ``in 4 h``."""
    seconds = int((now() - moment).total_seconds())
    distance = abs(seconds)
    if coarse:
        unit = next((unit for unit in (86400, 3600, 60) if distance >= unit), 1)
        distance -= distance % unit
    if seconds >= 0:
        return _("%(duration)s ago") % {"duration": duration(distance)}
    return _("in %(duration)s") % {"duration": duration(distance)}


@dataclass(frozen=True, slots=True)
class Value:
    """A serialized value as text, or why it can't be shown."""

    text: str = ""
    problem: str = ""


def value(payload: bytes, largest: int | None = None) -> Value:
    """A serialized value, without bringing it to life.

    Args:
        largest: bytes above which it is not looked into; None: :data:`LARGEST_VALUE`.
    """
    loaded = _loaded(payload, largest)
    return loaded if isinstance(loaded, Value) else Value(inert.show(loaded[0], LONGEST_VALUE))


@dataclass(frozen=True, slots=True)
class Call:
    """What a job calls, as text."""

    function: str = ""
    #: Of which the function is a method; ``''`` where it is none.
    instance: str = ""
    arguments: Sequence[str] = ()
    keywords: Sequence[tuple[str, str]] = ()
    #: How many more arguments there are.
    more: int = 0
    problem: str = ""


def call(data: bytes | None) -> Call:
    """What a job's ``data`` says, compressed or not, without bringing it to life."""
    if data is None:
        return Call(problem=_("The job's field “data” is missing."))
    loaded = _loaded(data)
    if isinstance(loaded, Value):
        return Call(problem=loaded.problem)
    match loaded[0]:
        case [function, instance, [*arguments], {**keywords}]:
            pass
        case other:
            shape = _("It is not (function, instance, arguments, keywords), as jobs are, but %s")
            return Call(problem=shape % _text(other))
    named = list(keywords.items())
    room = max(MOST_ARGUMENTS - len(arguments), 0)
    return Call(
        function=shortened(function, 500) if isinstance(function, str) else _text(function),
        instance="" if instance is None else _text(instance),
        arguments=[_text(argument) for argument in arguments[:MOST_ARGUMENTS]],
        keywords=[
            (shortened(key, 200) if isinstance(key, str) else _text(key), _text(item))
            for key, item in named[:room]
        ],
        more=max(len(arguments) - MOST_ARGUMENTS, 0) + max(len(named) - room, 0),
    )


def _text(loaded: object) -> str:
    return inert.show(loaded, LONGEST_VALUE)


def _loaded(payload: bytes, largest: int | None = None) -> Value | tuple[object]:
    """The value in a tuple of one, or the problem."""
    largest = LARGEST_VALUE if largest is None else largest
    unpacked, more = codec.head(payload, min(largest, codec.SHOWN))
    if more:
        size = _("It is too large to be shown: it unpacks to more than %(count)d bytes.")
        return Value(problem=size % {"count": len(unpacked)})
    if len(unpacked) > largest:
        size = _("It is too large to be shown: %(count)d bytes.")
        return Value(problem=size % {"count": len(unpacked)})
    try:
        return (inert.load(unpacked),)
    except ValueError as exc:
        problem = _("It can't be shown: %(reason)s.") % {"reason": shortened(str(exc), 300)}
        return Value(problem=problem)
