"""Filters of the admin's pages: times, durations and text of any length."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from .. import shown

register = template.Library()

register.filter("shortened", shown.shortened)
register.filter("printable", shown.printable)


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
