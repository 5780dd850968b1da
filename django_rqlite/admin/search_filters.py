"""Which jobs the form of the search asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..protocol.places import Place
from ..queries.job_search import Filter
from . import formatting as shown
from .request_filters import place_named
from .sources import Gone
from .url_segments import LONGEST, from_segment, segment

SINCE: dict[str, tuple[Promise, timedelta | None]] = {
    "": (gettext_lazy("any time"), None),
    "15m": (gettext_lazy("last 15 minutes"), timedelta(minutes=15)),
    "1h": (gettext_lazy("last hour"), timedelta(hours=1)),
    "1d": (gettext_lazy("last day"), timedelta(days=1)),
}
SORTS = {"newest": gettext_lazy("newest first"), "oldest": gettext_lazy("oldest first")}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the form says; its values are as they were given, in any case valid.

    Attributes:
        queue: its name, or '' for all.
    """

    text: str
    place: Place | None
    queue: str
    error: str
    function: str
    since: str
    sort: str
    group: bool

    @classmethod
    def all_in(cls, queue: str, place: Place) -> Wanted:
        """Everything in one place of a queue."""
        return cls("", place, queue, "", "", "", "newest", group=False)

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Wanted:
        """What an address says.

        Raises:
            Gone: a value is none of those that the form has.
        """
        state = given.get("state", "")
        since, sort = given.get("since", ""), given.get("sort") or "newest"
        for value, choices in ((since, SINCE), (sort, SORTS)):
            if value not in choices:
                raise Gone(_("“%(value)s” is none of %(choices)s.") % _choices(value, choices))
        place = place_named(state) if state else None
        return cls(
            given.get("q", "").strip(),
            place,
            # As in addresses: an empty value means all, so the name must not be empty.
            from_segment(given["queue"]) if given.get("queue") else "",
            given.get("error", "").strip(),
            given.get("function", "").strip(),
            since,
            sort,
            place is Place.FAILED and given.get("group") == "1",
        )

    @property
    def filter(self) -> Filter:
        """What takes the jobs that match now."""
        return replace(self.filter_at(shown.now()), until=None)

    @property
    def takes_everything(self) -> bool:
        """Whether all jobs of the places match."""
        return not (self.text or self.function or self.error or self.since)

    def filter_at(self, now: datetime) -> Filter:
        """What takes the jobs that matched then; none that came to their places later."""
        period = SINCE[self.since][1]
        since = now - period if period else None
        return Filter(self.text, self.function, self.error, since, now)

    @property
    def places(self) -> list[Place]:
        return [self.place] if self.place else list(Place)

    def query(self, **changed: str) -> str:
        """The form as the query of an address; an empty value is left out."""
        given = {
            "q": self.text,
            "state": self.place.value if self.place else "",
            "queue": segment(self.queue) if self.queue else "",
            "error": self.error,
            "function": self.function,
            "since": self.since,
            "sort": "" if self.sort == "newest" else self.sort,
            "group": "1" if self.group else "",
            **changed,
        }
        # What is too long for an address finds nothing anyway.
        kept = {key: value[:LONGEST] for key, value in given.items() if value}
        return "?" + urlencode(kept, errors="surrogateescape")


def _choices(value: str, choices: Mapping[str, object]) -> dict[str, str]:
    return {
        "value": shown.shortened(value, 40),
        "choices": ", ".join(f"“{choice}”" for choice in choices if choice),
    }
