"""Filters of the admin's pages: times, durations and text of any length."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.template.defaultfilters import capfirst
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..admin import formatting as shown

register = template.Library()

#: For attributes, where there can be no markup.
register.filter("plain", shown.cut)


@register.filter
def shortened(text: str, limit: int) -> SafeString | str:
    """Text from Redis, cut off after so many characters."""
    return _isolated(shown.cut(text, limit))


@register.filter
def sentence(text: str, limit: int) -> SafeString | str:
    """The same as a sentence of its own."""
    return _isolated(capfirst(shown.cut(text, limit)))


@register.filter
def printable(text: str) -> SafeString | str:
    """Text from Redis, all of it."""
    return _isolated(shown.printable(text))


def _isolated(text: str) -> SafeString | str:
    """The text in an element that keeps its direction of writing from what stands around it."""
    return format_html("<bdi>{}</bdi>", text) if text else ""


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """The time, and how long ago that is."""
    if value is None:
        return ""
    return format_html(
        '<time datetime="{}">{} <span class="quiet">({})</span></time>',
        value.isoformat(),
        shown.clock(value),
        shown.relative(value),
    )


@register.filter
def ago(value: datetime | None) -> SafeString | str:
    """About how long ago the time is; a tooltip has the time itself."""
    if value is None:
        return ""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        shown.clock(value),
        shown.relative(value, coarse=True),
    )


@register.filter
def seconds(value: float | None) -> str:
    """A duration. Below zero: for ever, or no limit."""
    if value is None:
        return ""
    return shown.duration(value) if value >= 0 else "∞"
