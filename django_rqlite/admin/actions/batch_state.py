"""The state of an action on all matching jobs: what to do, and how far it has come.

It is in a signed field of the form that requests the next batch, so the server stores nothing. It
is valid for an hour, and only for the user who confirmed the action.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from django.core import signing
from django.http import QueryDict
from django.utils.translation import gettext as _

from ...queries.cursor import Position
from ..errors import NotFound
from ..filters import JobFilters
from ..formatting import shortened
from .job_action import Outcome

#: Problems that are reported at the end.
_MAX_PROBLEMS = 5

_SALT = "django_rqlite.admin.batch"

#: Seconds within which a form must be sent. Each batch answers with a new form.
LIFETIME = 3600


@dataclass(frozen=True, slots=True)
class Stop:
    """One place of one queue that the action examines, and the name of its server."""

    server: str
    queue: str
    place: str


@dataclass(slots=True)
class BatchState:
    """What to do, and how far it has come.

    Attributes:
        action: Its name in ``ACTIONS``.
        query: Of :class:`JobFilters`.
        servers: The names of the servers to examine.
        to_queue: The queue to which jobs are moved, or ``''``.
        back: The address of the page to return to.
        started_at: Unix seconds; jobs that came to their places later are left alone.
        total: How many jobs are to be examined.
        stop, position: Where to continue; None: at the beginning.
        examined: How many jobs have been examined.
        done, missing, skipped, unreachable: How many jobs, as in :class:`Outcome`.
        problems: What could not be done, in sentences.
    """

    action: str
    query: str
    servers: list[str]
    to_queue: str
    back: str
    started_at: float
    total: int = 0
    stop: Stop | None = None
    position: Position = field(default_factory=Position)
    examined: int = 0
    done: int = 0
    missing: int = 0
    skipped: int = 0
    unreachable: int = 0
    problems: list[str] = field(default_factory=list)

    def count(self, examined: int, outcome: Outcome) -> None:
        """Add the number of examined jobs, and the outcome of those that matched."""
        self.examined += examined
        self.done += len(outcome.done)
        self.missing += len(outcome.missing)
        self.skipped += len(outcome.skipped)
        self.unreachable += len(outcome.unreachable)

    def add_problem(self, problem: str) -> None:
        """Keep a problem, to report it at the end."""
        problem = shortened(problem, 300)
        if problem not in self.problems and len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(problem)

    def token(self, user: str) -> str:
        """The value of the signed field, valid for :data:`LIFETIME` and for this user.

        Args:
            user: The primary key, as text.
        """
        return signing.dumps({**asdict(self), "user": user}, salt=_SALT, compress=True)

    @classmethod
    def from_token(cls, token: str, user: str) -> BatchState:
        """The state in a form that a user has sent.

        Raises:
            NotFound: The form was changed, was made for another user, or is too old.
        """
        try:
            values: dict[str, Any] = signing.loads(token, salt=_SALT, max_age=LIFETIME)
            if values.pop("user") != user:
                raise NotFound(
                    _("This form was made for another user. Select the jobs and start again.")
                )
            stop, position = values.pop("stop"), Position(**values.pop("position"))
            return cls(**values, stop=stop and Stop(**stop), position=position)
        except signing.SignatureExpired:
            raise NotFound(
                _("This form is more than an hour old. Select the jobs and start again.")
            ) from None
        except (signing.BadSignature, KeyError, TypeError):  # or another version of ours made it
            raise NotFound(
                _("This form was changed, or made with another SECRET_KEY. Start again.")
            ) from None

    @property
    def filters(self) -> JobFilters:
        """The filters that select the jobs."""
        return JobFilters.parse(QueryDict(self.query).dict())
