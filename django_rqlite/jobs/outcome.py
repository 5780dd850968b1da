"""The status, the result and the error of a job."""

from __future__ import annotations

from typing import Any, cast

from ..broker.broker import Broker
from ..exceptions import NoSuchJobError
from ..protocol import codec
from ..protocol.records import JobStatus
from ..protocol.signing import FIELDS
from ..protocol.stored_result import ResultType, read_result
from .results import Result
from .stored_job import StoredJob


class JobOutcome(StoredJob):
    """A job with its status, its result and its error."""

    def get_status(self, refresh: bool = True) -> JobStatus | str:
        """Return the status of the job.

        Returns:
            A :class:`JobStatus`, or the text that another tool wrote instead. It is ``created``
            while the transaction that enqueues the job has not committed. In callbacks and in
            receivers of signals it is already the final status, which is stored only afterwards.

        Raises:
            NoSuchJobError: The job no longer exists.
        """
        if refresh and self._unstored is None:
            stored = self._ask(
                lambda broker: broker.client.hget(broker.keys.job(self.id), "status")
            )
            if stored is not None:
                self._record = self._record.changed(status=codec.text(stored))
            elif self._record.status != JobStatus.CREATED:
                raise NoSuchJobError(f"Job {self.id} is gone: it was deleted, or it has expired.")
        try:
            return JobStatus(self._record.status)
        except ValueError:
            return self._record.status

    def get_position(self) -> int | None:
        """Return how many jobs of its queue run before it, or None if it does not wait there."""
        found = self._ask(
            lambda broker: broker.client.lpos(broker.keys.queue(self.origin), self.id)
        )
        return cast("int | None", found)

    @property
    def is_queued(self) -> bool:
        return self.get_status() == JobStatus.QUEUED

    @property
    def is_started(self) -> bool:
        return self.get_status() == JobStatus.STARTED

    @property
    def is_finished(self) -> bool:
        return self.get_status() == JobStatus.FINISHED

    @property
    def is_failed(self) -> bool:
        return self.get_status() == JobStatus.FAILED

    @property
    def is_deferred(self) -> bool:
        return self.get_status() == JobStatus.DEFERRED

    @property
    def is_scheduled(self) -> bool:
        return self.get_status() == JobStatus.SCHEDULED

    @property
    def is_stopped(self) -> bool:
        return self.get_status() == JobStatus.STOPPED

    @property
    def is_canceled(self) -> bool:
        return self.get_status() == JobStatus.CANCELED

    def return_value(self, refresh: bool = False) -> Any:
        """Return the function's return value; None if it returned None, or has not returned (yet).

        If the value could not be stored, a text says so; :attr:`Result.not_kept` says why.

        Args:
            refresh: Whether to read the value from Redis even in a callback, which is called before
                the value is stored. Elsewhere it is always read from Redis.

        Raises:
            SignatureError: The signature of the value is wrong, or missing although it is required.
            DeserializationError: The serializer cannot read the value.
        """
        if self._unstored is not None and not refresh:
            return self._unstored[0] if self._unstored else None
        hashed, entries = self._ask(self._read_outcome)
        stored, signature = hashed
        if entries:
            latest = read_result(self.id, *entries[0])
            if latest.type != ResultType.SUCCESSFUL:
                return None
            payload, signed = latest.return_value, latest.signature
        else:
            payload = stored  # RQ 0.5 has no stream
            signed = None if signature is None else codec.text(signature)
        return None if payload is None else self._loads("result", payload, signed)

    @property
    def result(self) -> Any:
        """The same as :meth:`return_value`, by the older name."""
        return self.return_value()

    def results(self) -> list[Result]:
        """Return the outcomes of its executions, newest first. About the last ten are stored."""
        return Result.all(self)

    def latest_result(self, timeout: float = 0) -> Result | None:
        """Return the outcome of its newest execution, or None if no outcome is stored.

        Args:
            timeout: Seconds to wait while the outcome is still to come: while the job waits or
                runs, for the first time or again. Redis announces the outcome, so it is not
                polled. There is no wait for a job that has ended, that was deleted, or that has
                succeeded before (a repeated one). If the job stores no result (``result_ttl=0``),
                or is deleted or canceled meanwhile, the wait takes the whole time.

        Do not wait inside the transaction that enqueues the job: the job does not start before the
        commit, so the wait takes the whole time.
        """
        return Result.fetch_latest(self, timeout=timeout)

    def _read_outcome(self, broker: Broker) -> Any:
        with broker.client.pipeline(transaction=False) as pipeline:
            pipeline.hmget(broker.keys.job(self.id), "result", FIELDS["result"])
            pipeline.xrevrange(broker.keys.results(self.id), count=1)
            return pipeline.execute()

    @property
    def exc_info(self) -> str | None:
        """The traceback, or the reason, of the last failure; None if the job did not fail."""
        if not self._record.exc_info:
            _, entries = self._ask(self._read_outcome)
            if entries:
                found = read_result(self.id, *entries[0]).exc_string
                self._record = self._record.changed(exc_info=found)
        return self._record.exc_info or None
