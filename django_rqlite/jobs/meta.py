"""A job's own notes, and storing them."""

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

#: The fields that :meth:`JobMeta.save` stores besides the notes.
_SAVED = ("description", "timeout", "result_ttl", "failure_ttl")


class JobMeta(JobCall):
    """A job that keeps notes."""

    #: The notes; None while nobody has asked for those that are stored.
    _meta: dict[str, Any] | None = None

    @property
    def meta(self) -> dict[str, Any]:
        """The job's own notes. Change them in place, then :meth:`save_meta`.

        Raises:
            SignatureError: They are not signed as they should be.
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
        """The notes, read again from Redis unless told otherwise."""
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
        """Store the notes as they are now.

        Raises:
            UnserializableError: They cannot be serialized.
            NoSuchJobError: The job is gone.
        """
        self._save(self._meta_fields())

    def set_progress(self, done: float, total: float = 1) -> None:
        """Tell people how far the job is: the admin shows it as a bar.

        It is kept as ``meta["progress"]``, a fraction of 1, and stored at once with all of the
        notes: one round trip.

        Args:
            done, total: In whatever is counted; alone, ``done`` is the fraction itself.

        Raises:
            ValueError: ``total`` is not above 0, or ``done`` is not within 0 and ``total``.
            UnserializableError: The notes cannot be serialized.
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
        """Store the description, the timeout, how long the job is kept, and the notes.

        Nothing else of a job can be changed so: the engine decides where a job is. What is None
        stays as it was stored. A run that has begun keeps to what it began with.

        Args:
            pipeline: None; for RQ's signature.
            include_meta: Whether to store the notes, too.
            include_result: Accepted for RQ's sake: results are stored by workers only.

        Raises:
            InvalidJobOperation: A pipeline was given.
            UnserializableError: The notes cannot be serialized.
            NoSuchJobError: There is no such job, or it is gone; :meth:`Queue.enqueue_job` enqueues
                one.
        """
        refuse_pipeline(pipeline, "save()", InvalidJobOperation)
        fields = self._meta_fields() if include_meta and self._meta is not None else {}
        stored = job_fields(self._record)
        fields |= {name: stored[name] for name in _SAVED if name in stored}
        self._save(fields)

    def _save(self, fields: Mapping[str, Argument]) -> None:
        if not self._ask(lambda broker: Engine(broker).save(self.id, fields)):
            raise NoSuchJobError(f"Job {self.id} is gone, so nothing of it can be saved.")
        if "meta" in fields:
            self._record = self._record.changed(
                meta=fields["meta"], meta_signature=fields[FIELDS["meta"]]
            )

    def _meta_fields(self) -> dict[str, Argument]:
        """The notes as they are now, serialized and signed."""
        payload = self._dumps("meta", self.meta)
        return {"meta": payload, FIELDS["meta"]: sign("meta", self.id, payload)}

    def _meta_to_enqueue(self) -> dict[str, Argument]:
        """The notes as an enqueueing script writes them.

        What was read from Redis keeps its signature, or has none.

        Raises:
            SignatureError: They were read from Redis and are not signed as they should be.
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
