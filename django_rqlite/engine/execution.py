"""Scripts that a worker runs for each job: claim it, and store how its execution ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from ..protocol.codec import decode
from ..protocol.durations import FOREVER, LONGEST
from ..protocol.records import JobStatus
from .base import EngineBase
from .scripts import Argument, Script
from .values import Claim, Hold, NextClaim, Pause, Settled

_claim = Script("claim")
_finish = Script("finish")
_fail = Script("fail")
_retry_or_repeat = Script("retry_or_repeat")
_release = Script("release")


class ExecutionScripts(EngineBase):
    """Scripts that a worker runs for each job."""

    __slots__ = ()

    def claim(self, worker: str, wanted: NextClaim) -> Claim:
        """queued → started, for the next job of the queues, if there is one.

        A second call with the same execution returns the same job. So the caller can repeat a claim
        whose answer was lost with the connection.
        """
        return self._claim_from(
            _claim(
                self.connection,
                [self.keys.queue(name) for name in wanted.queues],
                (self.prefix, worker, wanted.execution, wanted.lease, *wanted.queues),
            ),
            wanted.execution,
        )

    def find_claim(self, worker: str, execution: str) -> Hold | None:
        """The job that an unanswered claim has taken, or None."""
        fields = ("x_execution", "x_claimed_job", "x_claimed_queue")
        last, job_id, queue = cast(
            "list[bytes | None]", self.connection.hmget(self.keys.worker(worker), fields)
        )
        if last != execution.encode() or job_id is None or queue is None:
            return None
        return Hold(decode(job_id), decode(queue), execution)

    def finish(
        self,
        worker: str,
        hold: Hold,
        *,
        worker_name: str,
        result_ttl: int,
        result: bytes,
        signature: str,
        encoded_result: bytes,
        not_kept: str = "",
        then: NextClaim | None = None,
    ) -> Settled:
        """started → finished, and the next claim in the same round trip.

        Args:
            worker: the worker whose record counts the job; ``''``: no record does.
            worker_name: the name in the result.
            result_ttl: seconds; −1: for ever, 0: nothing is kept.
            result: the return value, serialized; ``b''`` for None.
            encoded_result: the same in base64.
            not_kept: why ``result`` is not the value that the job returned; ``''`` if it is.
        """
        kept = _ttl(result_ttl, least=0)
        outcome = (kept, result, signature, encoded_result, _encodable(not_kept))
        return self._settle(_finish, worker, hold, worker_name, outcome, then)

    def fail(
        self,
        worker: str,
        hold: Hold,
        *,
        worker_name: str,
        failure_ttl: int,
        reason: str,
        encoded_reason: bytes,
        headline: str,
        status: str = JobStatus.FAILED,
        then: NextClaim | None = None,
    ) -> Settled:
        """started → failed or stopped, and the next claim in the same round trip.

        Args:
            failure_ttl: seconds; −1: for ever.
            reason: the traceback, or a sentence that says what happened.
            encoded_reason: the same in the form of RQ's stream of results.
            headline: one line that names the error.
            status: ``'failed'``, or ``'stopped'`` for a job that a person stopped.
        """
        kept = _ttl(failure_ttl, least=1)
        outcome = (kept, _encodable(reason), encoded_reason, _encodable(headline), status)
        return self._settle(_fail, worker, hold, worker_name, outcome, then)

    def retry_or_repeat(
        self,
        worker: str,
        hold: Hold,
        *,
        worker_name: str,
        delay: int,
        at_front: bool,
        counter: str,
        change: int,
        tally: str,
        kind: str,
        payload_field: str,
        payload: bytes,
        headline: str,
        succeeded: bool,
        signature: str = "",
        not_kept: str = "",
        then: NextClaim | None = None,
    ) -> Settled:
        """started → queued or scheduled, and the next claim in the same round trip.

        Args:
            delay: seconds; 0: the job enters its queue at once.
            counter, change: the job's field that counts what is left, and by how much it changes.
            tally: the job's field that counts how often this has happened.
            kind, payload_field, payload: the entry in the stream of results.
            signature: the signature of the value in that entry; ``''`` without a value.
            not_kept: as for :meth:`finish`.
            headline: one line that names the error; ``''`` without an error.
            succeeded: whether the worker counts the run as successful or as failed.
        """
        counted = "successful_job_count" if succeeded else "failed_job_count"
        outcome = (
            *(delay, "1" if at_front else "0", counter, change, tally),
            *(kind, payload_field, payload, signature, _encodable(headline), counted),
            _encodable(not_kept),
        )
        return self._settle(_retry_or_repeat, worker, hold, worker_name, outcome, then)

    def _settle(
        self,
        script: Script,
        worker: str,
        hold: Hold,
        worker_name: str,
        outcome: Sequence[Argument],
        then: NextClaim | None,
    ) -> Settled:
        queues = then.queues if then else ()
        verdict, claimed = script(
            self.connection,
            (self.keys.job(hold.job_id), *map(self.keys.queue, queues)),
            (
                self.prefix,
                worker,
                hold.job_id,
                hold.queue,
                hold.execution,
                worker_name,
                *outcome,
                then.execution if then else "",
                then.lease if then else 0,
                *queues,
            ),
        )
        claim = self._claim_from(claimed, then.execution) if then else Claim()
        return Settled(verdict == b"stored", claim, repeated=verdict == b"repeated")

    @staticmethod
    def _claim_from(answer: list[Any], execution: str) -> Claim:
        job_id, queue, flat, notes, more, pauses = answer
        texts = tuple(map(decode, notes))
        if job_id is None:
            kept = tuple(Pause(decode(name), None if ms < 0 else ms / 1000) for name, ms in pauses)
            return Claim(notes=texts, more=bool(more), pauses=kept)
        values = iter(flat)
        hold = Hold(decode(job_id), decode(queue), execution)
        return Claim(hold, dict(zip(values, values, strict=True)), texts)

    def release(self, worker: str, hold: Hold) -> bool:
        """started → queued, at the front, for a job that its worker gives back.

        Returns:
            False if the execution no longer held the job.
        """
        answer = _release(
            self.connection,
            (self.keys.job(hold.job_id), self.keys.queue(hold.queue)),
            (self.prefix, worker, hold.job_id, hold.queue, hold.execution),
        )
        return bool(answer == b"released")


def _ttl(seconds: int, *, least: int) -> int:
    """A number of seconds that Redis accepts. Another tool may have written any number."""
    return FOREVER if seconds < 0 else min(max(seconds, least), LONGEST)


def _encodable(text: str) -> bytes:
    """Text as UTF-8. A traceback may quote lone surrogates, for which UTF-8 has no bytes."""
    return text.encode("utf-8", "replace")
