"""Which cron entries the settings have, and which entries are no longer evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext as _

from .. import conf
from ..broker.servers import Server
from ..cron.ticker import ANNOUNCE_EVERY
from ..exceptions import ConfigurationError
from ..protocol.cron_records import CronRecord
from .formatting import shortened

#: Seconds without an announcement after which an entry counts as not evaluated: it was removed from
#: the settings, or no worker runs. Its record stays for a month.
MAX_SILENCE = 2 * ANNOUNCE_EVERY

#: The source of the entries of ``RQ["CRON"]``.
SETTINGS_SOURCE = "settings"


def is_silent(record: CronRecord, now: datetime) -> bool:
    """Whether no worker seems to evaluate an entry."""
    announced = record.announced_at
    return announced is None or (now - announced).total_seconds() > MAX_SILENCE


def names_in_settings(server: Server) -> frozenset[object]:
    """The names of the entries in this process's ``RQ["CRON"]`` whose queues are on a server.

    The entries are not validated, which would take longer.
    """
    try:
        entries = conf.cron()
    except ConfigurationError:
        return frozenset()
    return frozenset(
        name
        for name, entry in entries.items()
        if isinstance(entry, Mapping) and entry.get("queue", "default") in server.queue_names
    )


def why_not_run(record: CronRecord, in_settings: frozenset[object]) -> str:
    """Why this process cannot enqueue a job of an entry, in a sentence; ``''`` if it can.

    Args:
        in_settings: The names of the entries that the settings have.
    """
    if record.source and record.source != SETTINGS_SOURCE:
        return _("It can’t be run from here, since it comes from %(source)s.") % {
            "source": shortened(record.source, 100)
        }
    if record.name not in in_settings:
        return _('It can’t be run from here, since the RQ["CRON"] of this site does not have it.')
    return ""
