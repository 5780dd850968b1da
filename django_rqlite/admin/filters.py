"""Parses addresses and forms: places, pages of lists, and the filters of the job search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..protocol.places import Place
from ..queries.found_jobs import Filter
from . import formatting
from .errors import NotFound
from .formatting import shortened
from .links import MAX_NAME_LENGTH, from_segment, segment

#: The labels of the text filters, by the names that they have in addresses and in :class:`Filter`.
TEXT_FILTERS: dict[str, Promise] = {
    "function": gettext_lazy("Function"),
    "error": gettext_lazy("Error begins with"),
    "tag": gettext_lazy("Tag"),
}
PERIODS: dict[str, tuple[Promise, timedelta | None]] = {
    "": (gettext_lazy("any time"), None),
    "15m": (gettext_lazy("last 15 minutes"), timedelta(minutes=15)),
    "1h": (gettext_lazy("last hour"), timedelta(hours=1)),
    "1d": (gettext_lazy("last day"), timedelta(days=1)),
}
SORTS = {"newest": gettext_lazy("newest first"), "oldest": gettext_lazy("oldest first")}


def parse_place(name: str) -> Place:
    """The place that an address names.

    Raises:
        NotFound: No place has that name.
    """
    try:
        return Place(name)
    except ValueError:
        raise NotFound(
            _("A queue has no “%(name)s”; it has %(names)s.")
            % {"name": shortened(name, 40), "names": ", ".join(Place)}
        ) from None


def parse_page(text: str, *, least: int) -> int:
    """The page number in an address.

    Raises:
        NotFound: It is not a number, or less than ``least``.
    """
    # No list has more than ten digits of pages, and int() refuses thousands of digits.
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) < least:
        raise NotFound(_("“%(page)s” is not a valid page number.") % {"page": shortened(text, 40)})
    return int(text)


@dataclass(frozen=True, slots=True)
class JobFilters:
    """The filters of the job search, as the form sends them and addresses keep them.

    Attributes:
        text: A part of an id or of a description.
        place: None for all places.
        queue: A queue's name, or ``''`` for all.
        texts: Values of :data:`TEXT_FILTERS`, by name.
        since: A key of :data:`PERIODS`.
        sort: A key of :data:`SORTS`.
        group: Whether failed jobs are grouped by function and error.
    """

    text: str
    place: Place | None
    queue: str
    texts: Mapping[str, str]
    since: str = ""
    sort: str = "newest"
    group: bool = False

    @classmethod
    def all_in(cls, queue: str, place: Place) -> JobFilters:
        """Everything in one place of a queue."""
        return cls("", place, queue, {})

    @classmethod
    def all_with(cls, tag: str) -> JobFilters:
        """Every job with a tag."""
        return cls("", None, "", {"tag": tag})

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> JobFilters:
        """The filters in the query of an address.

        Raises:
            NotFound: A value is not one of its choices.
        """
        since, sort = query.get("since", ""), query.get("sort") or "newest"
        for value, choices in ((since, PERIODS), (sort, SORTS)):
            if value not in choices:
                raise NotFound(
                    _("“%(value)s” is not one of %(choices)s.") % _choices(value, choices)
                )
        place = parse_place(query["state"]) if query.get("state") else None
        return cls(
            query.get("q", "").strip(),
            place,
            # An empty value means all, as in addresses; a queue's name is not empty.
            from_segment(query["queue"]) if query.get("queue") else "",
            {name: query.get(name, "").strip() for name in TEXT_FILTERS},
            since,
            sort,
            place is Place.FAILED and query.get("group") == "1",
        )

    @property
    def places(self) -> list[Place]:
        """The places to search."""
        return [self.place] if self.place else list(Place)

    @property
    def matches_everything(self) -> bool:
        """Whether all jobs of the places match."""
        return not (self.text or any(self.texts.values()) or self.since)

    @property
    def filter(self) -> Filter:
        """The filter for the jobs that match now."""
        return replace(self.filter_at(formatting.now()), until=None)

    def filter_at(self, now: datetime) -> Filter:
        """The filter for the jobs that matched at that time, without those that came later."""
        period = PERIODS[self.since][1]
        since = now - period if period else None
        return Filter(self.text, since=since, until=now, **self.texts)

    def query(self, **changed: str) -> str:
        """The filters as the query of an address, some of them changed; empty ones are left out."""
        values = {
            "q": self.text,
            "state": self.place.value if self.place else "",
            "queue": segment(self.queue) if self.queue else "",
            **self.texts,
            "since": self.since,
            "sort": "" if self.sort == "newest" else self.sort,
            "group": "1" if self.group else "",
            **changed,
        }
        # A value that is too long for an address finds nothing anyway.
        kept = {name: value[:MAX_NAME_LENGTH] for name, value in values.items() if value}
        return "?" + urlencode(kept, errors="surrogateescape")


def _choices(value: str, choices: Mapping[str, object]) -> dict[str, str]:
    return {
        "value": shortened(value, 40),
        "choices": ", ".join(f"“{choice}”" for choice in choices if choice),
    }
