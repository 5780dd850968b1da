"""The ``meta`` of a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..conf.signer import sign, signer
from ..engine.engine import Engine
from ..engine.scripts import Argument
from ..exceptions import DeserializationError, InvalidJobOperation, NoSuchJobError
from ..protocol import codec
from ..protocol.records import job_fields
from ..protocol.signing import FIELDS
from .call import JobCall
from .options import refuse_pipeline

#: The fields that :meth:`JobMeta.save` stores besides ``meta``.
_SAVED = ("description", "timeout", "result_ttl", "failure_ttl")


class JobMeta(JobCall):
    """A job with its ``meta``."""

    #: The deserialized ``meta``; None until it is read.
    _meta: dict[str, Any] | None = None

    @property
    def meta(self) -> dict[str, Any]:
        """A dictionary for the job's own use. Change it in place, then call :meth:`save_meta`.

        Raises:
            SignatureError: Its signature is wrong, or is missing although it is required.
        """
        if self._meta is None:
            stored = self._record.meta
            self._meta = self._loaded_meta(stored) if stored else {}
        return self._meta

    @meta.setter
    def meta(self, value: Mapping[str, Any]) -> None:
        self._meta = dict(value)

    def _loaded_meta(self, stored: bytes) -> dict[str, Any]:
        try:
            loaded = self._loads("meta", stored, self._record.meta_signature)
        except DeserializationError:
            loaded = None
        return loaded if isinstance(loaded, dict) else {codec.UNDECODABLE_META: stored}

    def get_meta(self, refresh: bool = True) -> dict[str, Any]:
        """Return ``meta``, read from Redis again if ``refresh`` is true."""
        if refresh:
            stored, signature = self._ask(
                lambda broker: broker.client.hmget(broker.keys.job(self.id), "meta", FIELDS["meta"])
            )
            self._record = self._record.changed(
                meta=stored, meta_signature=None if signature is None else codec.text(signature)
            )
            self._meta = None
        return self.meta

    def save_meta(self) -> None:
        """Store ``meta`` as it is now.

        Raises:
            UnserializableError: It cannot be serialized.
            NoSuchJobError: The job is gone.
        """
        self._save(self._meta_fields())

    def set_progress(self, done: float, total: float = 1) -> None:
        """Store the progress of the job. The admin shows it as a bar.

        The progress is ``meta["progress"]``, a fraction of 1. It is stored at once with the rest
        of ``meta``, in one round trip.

        Args:
            done, total: Both in the same unit. Without ``total``, ``done`` is the fraction.

        Raises:
            ValueError: ``total`` is not above 0, or ``done`` is not within 0 and ``total``.
            UnserializableError: ``meta`` cannot be serialized.
            NoSuchJobError: The job is gone.
        """
        if not total > 0 or not 0 <= done <= total:
            raise ValueError(
                f"set_progress({done!r}, {total!r}): give how much is done, from 0 up to the "
                "total, and a total above 0."
            )
        self.meta["progress"] = float(done / total)
        self.save_meta()

    def save(
        self, pipeline: None = None, include_meta: bool = True, include_result: bool = True
    ) -> None:
        """Store the description, the timeout, how long the job is kept, and ``meta``.

        Other attributes are changed by the engine only. None leaves the stored value. A running
        execution keeps using the old values.

        Args:
            pipeline: Must be None; for RQ's signature.
            include_meta: Whether to store ``meta``, too.
            include_result: Without effect, for RQ's callers: only workers store results.

        Raises:
            InvalidJobOperation: A pipeline was given.
            UnserializableError: ``meta`` cannot be serialized.
            NoSuchJobError: The job is not in Redis: it is gone, or was never enqueued; see
                :meth:`Queue.enqueue_job`.
        """
        refuse_pipeline(pipeline, "save()", InvalidJobOperation)
        fields = self._meta_fields() if include_meta and self._meta is not None else {}
        stored = job_fields(self._record)
        fields |= {name: stored[name] for name in _SAVED if name in stored}
        self._save(fields)

    def _save(self, fields: Mapping[str, Argument]) -> None:
        if not self._ask(lambda broker: Engine(broker).save(self.id, fields)):
            raise NoSuchJobError(f"Job {self.id} is gone, so it can't be saved.")
        if "meta" in fields:
            self._record = self._record.changed(
                meta=fields["meta"], meta_signature=fields[FIELDS["meta"]]
            )

    def _meta_fields(self) -> dict[str, Argument]:
        """Serialize and sign ``meta``."""
        payload = self._dumps("meta", self.meta)
        return {"meta": payload, FIELDS["meta"]: sign("meta", self.id, payload)}

    def _meta_to_enqueue(self) -> dict[str, Argument]:
        """Return ``meta`` as an enqueueing script writes it.

        A ``meta`` that was read from Redis keeps its signature. If it has none, it gets none.

        Raises:
            SignatureError: The signature that was read is wrong, or is missing although it is
                required.
        """
        if self._meta:
            return self._meta_fields()
        record = self._record
        if self._meta is not None or record.meta is None:
            return {}
        signer().check("meta", self.id, record.meta, record.meta_signature)
        if record.meta_signature is None:
            return {"meta": record.meta}
        return {"meta": record.meta, FIELDS["meta"]: record.meta_signature}
