"""One batch of an action on all matching jobs: about two seconds of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import redis

from ...broker.servers import Server
from ...engine.engine import Engine
from ...protocol.places import Place
from ...queries.cursor import PlaceCursor, Position
from ...queries.job_search import JobSearch
from ..errors import Unavailable
from ..filters import JobFilters
from ..servers import all_servers, connected
from .batch_state import BatchState, Stop
from .job_action import JobAction, Outcome, Selection

#: Jobs that are examined before the clock is read again.
CHUNK = 1000

#: Seconds after which a batch ends.
SECONDS = 2.0


class Batch:
    """Continues an action on all matching jobs, and keeps its state up to date.

    Args:
        username: The name of the user who runs the action.

    Attributes:
        ids: The ids of the jobs that matched in this batch.
        done: The ids of those on which the action has succeeded.
    """

    def __init__(self, state: BatchState, action: JobAction, username: str) -> None:
        self.ids: list[str] = []
        self.done: list[str] = []
        self._state = state
        self._action = action
        self._username = username
        self._started_at = datetime.fromtimestamp(state.started_at, UTC)
        self._matches = state.filters.filter_at(self._started_at).matches

    def run(self) -> bool:
        """Run the batch; return whether the action is complete.

        Raises:
            Unavailable: A server does not answer. The state counts what was done before.
        """
        state, deadline = self._state, time.monotonic() + SECONDS
        for server, stop in self._remaining():
            if state.stop != stop:
                state.stop, state.position = stop, Position()
            while self._run_chunk(server, stop):
                if time.monotonic() >= deadline:
                    return False
        return True

    def _remaining(self) -> Iterator[tuple[Server, Stop]]:
        """The stops that remain, beginning with the current one."""
        state = self._state
        servers = {server.name: server for server in all_servers()}
        found: list[tuple[Server, Stop]] = []
        for name in state.servers:
            server = servers.get(name)
            if server is None or not (state.to_queue == "" or server.has_queue(state.to_queue)):
                continue
            try:
                found += [(server, stop) for stop in stops(server, state.filters, self._action)]
            except Unavailable as error:
                if len(state.servers) == 1:
                    raise
                # The action continues on the other servers.
                state.add_problem(str(error))
        first = next((i for i, (_server, stop) in enumerate(found) if stop == state.stop), 0)
        return iter(found[first:])

    def _run_chunk(self, server: Server, stop: Stop) -> bool:
        """Go through the next jobs of a place; return whether there may be more."""
        state, place = self._state, Place(stop.place)
        try:
            with connected(server) as broker:
                chunk = PlaceCursor(broker).fetch(stop.queue, place, state.position, CHUNK)
                ids = list(dict.fromkeys(each.id for each in chunk.jobs if self._matches(each)))
                selection = Selection(server, ids, state.to_queue, chunk.behind, self._username)
                outcome = self._action.act(broker, selection) if ids else Outcome()
                if outcome.missing and state.action == "delete" and place is not Place.QUEUED:
                    # The ids of expired jobs stay in their list until a sweep removes them.
                    Engine(broker).trim(stop.queue)
        except Unavailable as error:
            if not isinstance(error.__cause__, redis.ResponseError):
                raise
            # The key holds a value of the wrong type. The action continues with other places.
            state.add_problem(f"{stop.queue}: {error}")
            return False
        self.ids += ids
        self.done += outcome.done
        state.count(len(chunk.jobs), outcome)
        gone = set(outcome.done if self._action.moves_jobs else ())
        remaining = {each.id for each in chunk.jobs} - gone
        # The id of a missing job may still be in its list, or not.
        state.position = chunk.next(remaining.difference(outcome.missing) or remaining)
        # Jobs that came later are behind the end of a list. If there are no jobs, this is the end.
        return any(each.moment is None or each.moment <= self._started_at for each in chunk.jobs)


def stops(server: Server, filters: JobFilters, action: JobAction) -> list[Stop]:
    """The places that may have matching jobs. At most one round trip.

    Raises:
        Unavailable: The server does not answer.
    """
    if filters.queue:
        queues: Sequence[str] = [filters.queue]
    else:
        with connected(server) as broker:
            queues = JobSearch(broker).known(server.queue_names).names
    places = [place for place in filters.places if place in action.places]
    return [Stop(server.name, queue, place.value) for queue in queues for place in places]
