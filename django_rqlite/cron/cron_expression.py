"""Schedules that a cron expression describes.

The package cronsim (the extra ``cron``) parses and evaluates the expressions as Debian's cron does:
if the clock repeats the hour of a job, the job runs once; if the clock skips it, the job runs at
the end of the gap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ..exceptions import ConfigurationError, MissingExtraError

if TYPE_CHECKING:
    from cronsim import CronSim

#: Names for common expressions, as in most crons.
ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


@dataclass(frozen=True, slots=True)
class CronExpression:
    """Five fields, evaluated in a time zone. :func:`cron_expression` checks and makes one."""

    expression: str
    zone: ZoneInfo

    def __str__(self) -> str:
        return f"{self.expression} {self.zone.key}"

    def latest(self, now: int) -> int:
        # Backwards, cronsim skips an hour that a clock repeats. So take one step backwards, and
        # then a few steps forwards at most.
        found = _seconds(next(self._ticks(now + 1, reverse=True)))
        for tick in self._after(found):
            if tick > now:
                return found
            found = tick
        return found

    def following(self, after: int) -> int:
        return next(self._after(after))

    def _after(self, moment: int) -> Iterator[int]:
        """Yield the ticks after ``moment`` in order. A gap turns several into one."""
        for tick in map(_seconds, self._ticks(moment)):
            if tick > moment:
                moment = tick
                yield tick

    def _ticks(self, start: int, *, reverse: bool = False) -> CronSim:
        return _cronsim()(
            self.expression, datetime.fromtimestamp(start, UTC).astimezone(self.zone), reverse
        )


@lru_cache(maxsize=256)
def cron_expression(expression: str, zone: str, *, where: str) -> CronExpression:
    """Return the schedule that a cron expression describes.

    Args:
        expression: Minute, hour, day of month, month, day of week; or one of :data:`ALIASES`.
        zone: A name such as ``'Europe/Berlin'``.
        where: The name of the entry in messages, such as ``RQ['CRON']['nightly']``.

    Raises:
        MissingExtraError: The package that evaluates expressions is not installed.
        ConfigurationError: The expression or the zone can't be read, or there would be no ticks.
    """
    fields = ALIASES.get(expression.strip().lower(), expression).split()
    if len(fields) != 5:
        seconds = " For runs every few seconds use an interval." if len(fields) == 6 else ""
        raise ConfigurationError(
            f"{where}: the cron expression {expression!r} has {len(fields)} fields. Use five "
            "(minute, hour, day of month, month, day of week) or one of "
            f"{', '.join(ALIASES)}.{seconds}"
        )
    made = CronExpression(" ".join(fields).upper(), _zone(zone, where))
    cronsim = _cronsim()
    from cronsim import CronSimError

    try:
        ever = next(cronsim(made.expression, datetime(2024, 1, 1, tzinfo=UTC)), None)
    except CronSimError as exc:
        raise ConfigurationError(
            f"{where}: the cron expression {expression!r} can't be read: {exc}."
        ) from None
    if ever is None:
        raise ConfigurationError(
            f"{where}: the cron expression {expression!r} names a day that no year has."
        )
    return made


def _zone(name: str, where: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # missing; outside the database; a folder
        raise ConfigurationError(
            f"{where}: there is no time zone {name!r}. Use a name such as 'UTC' or "
            "'Europe/Berlin'. If that is one, this system has no data about time zones: pip "
            "install tzdata."
        ) from None


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _cronsim() -> type[CronSim]:
    try:
        from cronsim import CronSim
    except ImportError:
        raise MissingExtraError(
            "Cron expressions need the package cronsim, which is not installed: pip install "
            "'django-rqlite[cron]'. Entries with an interval work without it."
        ) from None
    return CronSim
