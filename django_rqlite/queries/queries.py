"""The read model: what pages, commands and metrics show.

No query writes, unpickles or imports user code. Each takes a few round trips, whatever the sizes in
Redis. A key of the wrong type never raises: the answer reports it. Workers do not use queries.
"""

from __future__ import annotations

from .jobs import JobQueries
from .overview import OverviewQueries
from .queues import QueueQueries
from .upcoming import UpcomingQueries
from .workers import WorkerQueries


class Queries(OverviewQueries, QueueQueries, WorkerQueries, UpcomingQueries, JobQueries):
    """Everything that can be asked of one broker, apart from searches.

    :class:`.job_search.JobSearch` searches for jobs, and :class:`.cursor.PlaceCursor` reads whole
    places.
    """

    __slots__ = ()
