"""Serialized values and calls of jobs as text, without unpickling them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from ..protocol import codec, safe_repr
from .formatting import shortened

#: Bytes above which a serialized value is not decoded.
MAX_PAYLOAD = 8_000_000

#: Arguments that are shown, and characters of each.
MAX_ARGUMENTS = 100
MAX_VALUE_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class Value:
    """A serialized value as text, or why it cannot be shown."""

    text: str = ""
    problem: str = ""


def format_value(payload: bytes, max_size: int | None = None) -> Value:
    """A serialized value as text, without unpickling it.

    Args:
        max_size: Bytes above which it is not decoded; None: :data:`MAX_PAYLOAD`.
    """
    loaded = _load(payload, max_size)
    return loaded if isinstance(loaded, Value) else Value(_text(loaded[0]))


@dataclass(frozen=True, slots=True)
class Call:
    """The call of a job as text, or why it cannot be shown.

    Attributes:
        instance: The object of which the function is a method; ``''`` if it is not a method.
        more: How many arguments are left out.
    """

    function: str = ""
    instance: str = ""
    arguments: Sequence[str] = ()
    keywords: Sequence[tuple[str, str]] = ()
    more: int = 0
    problem: str = ""


def format_call(data: bytes | None) -> Call:
    """The call in the field ``data`` of a job, compressed or not, without unpickling it."""
    if data is None:
        return Call(problem=_("The job's field “data” is missing."))
    loaded = _load(data)
    if isinstance(loaded, Value):
        return Call(problem=loaded.problem)
    match loaded[0]:
        case [function, instance, [*arguments], {**keywords}]:
            pass
        case other:
            shape = _("It is not (function, instance, arguments, keywords) but %s")
            return Call(problem=shape % _text(other))
    named = list(keywords.items())
    room = max(MAX_ARGUMENTS - len(arguments), 0)
    return Call(
        function=shortened(function, 500) if isinstance(function, str) else _text(function),
        instance="" if instance is None else _text(instance),
        arguments=[_text(argument) for argument in arguments[:MAX_ARGUMENTS]],
        keywords=[
            (shortened(key, 200) if isinstance(key, str) else _text(key), _text(item))
            for key, item in named[:room]
        ],
        more=max(len(arguments) - MAX_ARGUMENTS, 0) + max(len(named) - room, 0),
    )


def _text(loaded: object) -> str:
    return safe_repr.show(loaded, MAX_VALUE_LENGTH)


def _load(payload: bytes, max_size: int | None = None) -> Value | tuple[object]:
    """The value in a tuple of one, or why it cannot be shown."""
    max_size = MAX_PAYLOAD if max_size is None else max_size
    unpacked, more = codec.head(payload, min(max_size, codec.SHOWN))
    if more:
        size = _("It is too large to be shown: it unpacks to more than %(count)d bytes.")
        return Value(problem=size % {"count": len(unpacked)})
    if len(unpacked) > max_size:
        size = _("It is too large to be shown: %(count)d bytes.")
        return Value(problem=size % {"count": len(unpacked)})
    try:
        return (safe_repr.load(unpacked),)
    except ValueError as exc:
        problem = _("It can't be shown: %(reason)s.") % {"reason": shortened(str(exc), 300)}
        return Value(problem=problem)
