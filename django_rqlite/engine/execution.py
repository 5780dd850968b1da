"""How jobs are claimed, held and settled by workers, and taken from workers that are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from ..protocol.codec import decode
from ..protocol.durations import FOREVER, LONGEST
from ..protocol.records import JobStatus
from .base import BATCH, SEARCHES, EngineBase
from .scripts import Argument, Script
from .values import Claim, Hold, NextClaim, Pause, Reaped, Settled

_claim = Script("claim")
_finish = Script("finish")
_fail = Script("fail")
_retry_or_repeat = Script("retry_or_repeat")
_release = Script("release")
_reap = Script("reap")
_clean_intermediate_queues = Script("clean_intermediate_queues")
_append_log = Script("append_log")


class ExecutionScripts(EngineBase):
    """How jobs are claimed, held and settled by workers, and taken from workers that are gone."""

    __slots__ = ()

    def claim(self, worker: str, wanted: NextClaim) -> Claim:
        """queued → started: the next job of the queues, or none.

        Asking again with the same execution gives the same job, so a claim whose answer was lost
        with the connection is simply repeated.
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
        """What a claim has taken whose answer never arrives; None where it has taken nothing."""
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
            worker: whose record counts the job; ``''`` for none.
            worker_name: what the result says.
            result_ttl: seconds; −1 for ever, 0 keeps nothing.
            result: serialized, with ``encoded_result`` its base64 form; ``b''`` for None.
            not_kept: why that is not what the job returned; ``''`` where it is.
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
            failure_ttl: seconds; −1 for ever.
            reason: the traceback, or the sentence that says what happened.
            encoded_reason: the same, as RQ's results stream wants it.
            headline: one line that names the error.
            status: ``'failed'``, or ``'stopped'`` for a job that was ended by order.
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
            delay: seconds; 0: into the queue at once.
            counter, change: the job's field that counts this, and by how much it changes.
            tally: the job's field that counts such runs upwards.
            kind, payload_field, payload: the entry in the results stream.
            signature: of the value in that entry; ``''`` where it has none.
            not_kept: as in :meth:`finish`.
            headline: one line that names the error; ``''`` where there was none.
            succeeded: which of the worker's counters goes up.
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
        """started → queued, at the front: a worker gives back what it will not end.

        Returns:
            False when the execution no longer held the job.
        """
        answer = _release(
            self.connection,
            (self.keys.job(hold.job_id), self.keys.queue(hold.queue)),
            (self.prefix, worker, hold.job_id, hold.queue, hold.execution),
        )
        return bool(answer == b"released")

    def reap(self, queues: Sequence[str], *, most_crashes: int, patience: int) -> list[Reaped]:
        """started → queued at the front, for executions whose lease has ended; a batch of them.

        Args:
            most_crashes: how often a job may lose its worker and be queued again.
            patience: seconds that leases of RQ's own workers may be over.
        """
        keys = self.keys
        found = _reap(
            self.connection,
            [key for name in queues for key in (keys.started(name), keys.queue(name))],
            (self.prefix, most_crashes, patience, BATCH, SEARCHES, *queues),
        )
        return [
            Reaped(
                Hold(decode(job_id), decode(queue), decode(execution)),
                decode(worker),
                decode(verdict),
            )
            for queue, job_id, execution, worker, verdict in found
        ]

    def clean_intermediate_queues(
        self, queues: Sequence[str], *, patience: int
    ) -> list[tuple[str, str]]:
        """Put back what workers of RQ 2 took from these queues and never recorded.

        Args:
            patience: seconds after which an id counts as left.

        Returns:
            queue and id of each.
        """
        keys = self.keys
        found = _clean_intermediate_queues(
            self.connection,
            [key for name in queues for key in (keys.intermediate(name), keys.queue(name))],
            (self.prefix, patience, BATCH, *queues),
        )
        return [(decode(queue), decode(job_id)) for queue, job_id in found]

    def append_log(self, job_id: str, lines: Sequence[bytes], most: int) -> bool:
        """Keep lines that a job's run logged; False when the job is gone.

        Args:
            most: how many are kept: the latest.
        """
        keys = (self.keys.job(job_id), self.keys.job_log(job_id))
        return bool(_append_log(self.connection, keys, (self.prefix, most, *lines)))

    def job_fields(self, job_id: str) -> Mapping[bytes, bytes]:
        """A job's hash as it stands, for a decision about it; empty where there is none."""
        return cast("Mapping[bytes, bytes]", self.connection.hgetall(self.keys.job(job_id)))


def _ttl(seconds: int, *, least: int) -> int:
    """What Redis takes: other tools may have written anything into the job."""
    return FOREVER if seconds < 0 else min(max(seconds, least), LONGEST)


def _encodable(text: str) -> bytes:
    """Tracebacks may quote lone surrogates, which UTF-8 has no bytes for."""
    return text.encode("utf-8", "replace")
