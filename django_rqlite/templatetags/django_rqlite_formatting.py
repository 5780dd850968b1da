"""Template filters of the admin's pages: text from Redis, times and durations."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.template.defaultfilters import capfirst
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..admin import formatting

register = template.Library()

#: Text from Redis without markup, for attributes.
register.filter("plain", formatting.truncated)


@register.filter
def shortened(text: str, limit: int) -> SafeString | str:
    """Text from Redis, truncated to ``limit`` characters."""
    return _isolated(formatting.truncated(text, limit))


@register.filter
def sentence(text: str, limit: int) -> SafeString | str:
    """Text from Redis as a sentence: truncated, with a capital letter."""
    return _isolated(capfirst(formatting.truncated(text, limit)))


@register.filter
def printable(text: str) -> SafeString | str:
    """Text from Redis in full."""
    return _isolated(formatting.printable(text))


def _isolated(text: str) -> SafeString | str:
    """The text in an element that isolates its writing direction from the text around it."""
    return format_html("<bdi>{}</bdi>", text) if text else ""


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """A time, and how long ago it is."""
    if value is None:
        return ""
    return format_html(
        '<time datetime="{}">{} <span class="quiet">({})</span></time>',
        value.isoformat(),
        formatting.local_time(value),
        formatting.relative(value),
    )


@register.filter
def ago(value: datetime | None) -> SafeString | str:
    """About how long ago a time is; the tooltip has the time."""
    if value is None:
        return ""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        formatting.local_time(value),
        formatting.relative(value, coarse=True),
    )


@register.filter
def seconds(value: float | None) -> str:
    """A duration; a negative one means no limit."""
    if value is None:
        return ""
    return formatting.duration(value) if value >= 0 else "∞"
