"""The call of a job: its function and arguments, serialized and signed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..conf.signer import signer
from ..exceptions import DeserializationError, UnserializableError
from ..protocol import codec
from ..protocol.signing import Payload, Purpose
from . import callables
from .record import JobBase


class JobCall(JobBase):
    """A job with its call."""

    #: ``(name, instance, args, kwargs)``; None until it is deserialized.
    _call: tuple[str, object | None, Sequence[Any], Mapping[str, Any]] | None = None
    #: The purposes whose signatures this process has verified.
    _verified: tuple[Purpose, ...] = ()

    @property
    def func_name(self) -> str:
        """The dotted path, or the method's name if there is an :attr:`instance`."""
        return self._loaded()[0]

    @property
    def instance(self) -> object | None:
        """The object whose method is called; None for a function."""
        return self._loaded()[1]

    @property
    def args(self) -> Sequence[Any]:
        """Positional arguments."""
        return self._loaded()[2]

    @property
    def kwargs(self) -> Mapping[str, Any]:
        """Keyword arguments."""
        return self._loaded()[3]

    @property
    def func(self) -> Callable[..., Any]:
        """The function itself. Importing it may raise any exception of its module."""
        return callables.resolve(self.func_name, self.instance)

    @property
    def data(self) -> bytes:
        """The serialized ``(func_name, instance, args, kwargs)``; ``b''`` if it is missing.

        Its signature is not verified.

        Raises:
            DeserializationError: It unpacks to more than Redis itself could hold.
        """
        if self._data is not None:
            return self._data
        packed = self._record.packed
        if packed is None:
            return b""
        data, more = codec.head(packed, codec.LONGEST)
        if more:
            raise DeserializationError(
                f"The data of job {self.id} unpacks to more than {codec.LONGEST:,} bytes, so it is "
                "not loaded. Pass an id or the path of a file instead of such a value."
            )
        return data

    def get_call_string(self) -> str:
        """Return the call as a line of Python. Long arguments are shortened.

        Raises:
            SignatureError, DeserializationError: As for :attr:`args`.
        """
        return callables.description(self.func_name, self.instance, self.args, self.kwargs)

    # Serializing

    def _culprit(
        self, name: str, instance: object | None, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> str:
        """Name the part of the call that the serializer refuses."""
        parts = [(f"the object whose method {name} is", instance)]
        parts += [(f"argument {number}", value) for number, value in enumerate(args, 1)]
        parts += [(f"argument {key!r}", value) for key, value in kwargs.items()]
        for label, value in parts:
            try:
                self.serializer.dumps(value)
            except Exception:  # noqa: BLE001 - a value's own code may raise anything
                return f"{label} (a {type(value).__name__})"
        return "the call as a whole"

    def _dumps(self, purpose: Purpose, value: object) -> bytes:
        try:
            return self.serializer.dumps(value)
        except Exception as exc:
            raise UnserializableError(
                f"The {purpose} of job {self.id} (a {type(value).__name__}) can't be serialized "
                f"({type(exc).__name__}: {exc})."
            ) from exc

    # Verifying and deserializing

    def _loaded(self) -> tuple[str, object | None, Sequence[Any], Mapping[str, Any]]:
        """Return the call, deserialized.

        Raises:
            SignatureError: The signature is wrong, or missing although it is required.
            DeserializationError: The serializer cannot read the call.
        """
        if self._call is None:
            if self._payload is None:
                raise DeserializationError(
                    f"Job {self.id} has no data, so its function is unknown."
                )
            self._check_call()
            loaded = self._deserialized("data", self.data)
            try:
                name, instance, args, kwargs = loaded
                self._call = (str(name), instance, tuple(args), dict(kwargs))
            except (TypeError, ValueError) as exc:
                raise DeserializationError(
                    f"The data of job {self.id} is not (function, instance, args, kwargs): {exc}."
                ) from exc
        return self._call

    @property
    def _payload(self) -> Payload | None:
        """The serialized call, not unpacked if it was read from Redis; None if it is missing."""
        if self._data is not None:
            return self._data
        packed = self._record.packed
        return None if packed is None else codec.pieces(packed)

    def _check_call(self) -> None:
        """Verify the signature of the call and the terms, unless the call was serialized here.

        Raises:
            SignatureError: It is wrong, or missing although it is required.
        """
        read = self._read
        if read is None or self._data is not None or "data" in self._verified:
            return
        payload = self._payload
        signer().check(
            "data", self.id, b"" if payload is None else payload, read.signature, read.terms
        )
        self._verified = (*self._verified, "data")

    def _loads(self, purpose: Purpose, payload: bytes, signature: str | None) -> Any:
        """Verify and deserialize a value that was read from Redis."""
        signer().check(purpose, self.id, payload, signature)
        return self._deserialized(purpose, payload)

    def _deserialized(self, purpose: Purpose, payload: bytes) -> Any:
        try:
            return self.serializer.loads(payload)
        except Exception as exc:
            raise DeserializationError(
                f"The {purpose} of job {self.id} can't be read by the serializer of queue "
                f"{self.origin!r} ({type(exc).__name__}: {exc}). Does RQ_QUEUES name the "
                "SERIALIZER that wrote it, and are its classes still importable here?"
            ) from exc
