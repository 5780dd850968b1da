"""An action on all jobs that match: what is to be done, and how far it has come.

It travels in a signed field of the form that asks for the next batch: the server remembers nothing.
Who sends it must be the user who was asked, and soon: a form that somebody kept, or took from
another user's page, does nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from django.core import signing
from django.http import QueryDict
from django.utils.translation import gettext as _

from ...queries.cursor import Position
from .. import formatting as shown
from ..search_filters import Wanted
from ..sources import Gone
from .job_operations import Outcome

#: Keys and servers that could not be read, of which is told.
_MOST_PROBLEMS = 5

_SALT = "django_rqlite.admin.round"

#: Seconds in which a form must be sent; each batch answers with a new one.
LIFETIME = 3600


@dataclass(frozen=True, slots=True)
class Stop:
    """One place of one queue, and its source by name."""

    source: str
    queue: str
    place: str


@dataclass(slots=True)
class Round:
    """What is to be done, and how far it has come.

    Attributes:
        query: of :class:`Wanted`.
        sources: names of those that are gone through.
        to: the queue that jobs are moved to, or ''.
        begun: unix seconds; what came to its place later is not meant.
        total: jobs that there were to look at.
        stop, position: where to go on; None: at the beginning.
        done, missing, left, unheard: how many jobs, as in :class:`Outcome`.
    """

    action: str
    query: str
    sources: list[str]
    to: str
    back: str
    begun: float
    total: int
    stop: Stop | None = None
    position: Position = field(default_factory=Position)
    looked: int = 0
    done: int = 0
    missing: int = 0
    left: int = 0
    unheard: int = 0
    problems: list[str] = field(default_factory=list)

    def count(self, looked: int, outcome: Outcome) -> None:
        """So many jobs were looked at, and this became of those that matched."""
        self.looked += looked
        self.done += len(outcome.done)
        self.missing += len(outcome.missing)
        self.left += len(outcome.left)
        self.unheard += len(outcome.unheard)

    def note(self, problem: str) -> None:
        """Keep what could not be done, to be told at the end."""
        problem = shown.shortened(problem, 300)
        if problem not in self.problems and len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(problem)

    def token(self, user: str) -> str:
        """The signed field, good for :data:`LIFETIME` and this user.

        Args:
            user: the primary key, as text.
        """
        return signing.dumps({**asdict(self), "user": user}, salt=_SALT, compress=True)

    @classmethod
    def of(cls, token: str, user: str) -> Round:
        """What a form of this user's brought back.

        Raises:
            Gone: it does not come from a form of ours, or that was another user's, or is too old.
        """
        try:
            given: dict[str, Any] = signing.loads(token, salt=_SALT, max_age=LIFETIME)
            if given.pop("user") != user:
                raise Gone(
                    _("This form was made for another user. Choose the jobs anew and ask again.")
                )
            stop, position = given.pop("stop"), Position(**given.pop("position"))
            return cls(**given, stop=stop and Stop(**stop), position=position)
        except signing.SignatureExpired:
            raise Gone(
                _("This form is more than an hour old. Choose the jobs anew and ask again.")
            ) from None
        except (signing.BadSignature, KeyError, TypeError):  # or another version of us made it
            raise Gone(
                _("This form was changed, or made with another SECRET_KEY. Begin anew.")
            ) from None

    @property
    def wanted(self) -> Wanted:
        return Wanted.of(QueryDict(self.query).dict())
