"""Serializers, which turn Python values into bytes. A queue names one with ``SERIALIZER``."""

from __future__ import annotations

import importlib
import json
import pickle
from functools import partial
from typing import Any, Protocol, runtime_checkable

from ..exceptions import ConfigurationError


@runtime_checkable
class Serializer(Protocol):
    """Anything with ``dumps`` and ``loads``: an instance, or a class with static methods."""

    def dumps(self, obj: Any, /) -> bytes: ...

    def loads(self, data: bytes, /) -> Any: ...


class PickleSerializer:
    """The default, for any value that can be pickled. Loading runs code, hence the signatures."""

    #: Fixed, so that a worker with an older Python can read what a newer one wrote.
    PROTOCOL = 5

    #: A partial, because a wrapper written in Python takes longer than pickling a small value.
    dumps = staticmethod(partial(pickle.dumps, protocol=PROTOCOL))

    @staticmethod
    def loads(data: bytes, /) -> Any:
        return pickle.loads(data)


#: RQ's name for the default.
DefaultSerializer = PickleSerializer


class JSONSerializer:
    """For JSON values only. Tuples come back as lists, and keys as text."""

    @staticmethod
    def dumps(obj: Any, /) -> bytes:
        return json.dumps(obj, separators=(",", ":")).encode()

    @staticmethod
    def loads(data: bytes, /) -> Any:
        return json.loads(data)


#: Includes RQ's own names, so that settings written for RQ work if RQ is not installed.
_KNOWN: dict[str, Serializer] = {
    "pickle": PickleSerializer,
    "json": JSONSerializer,
    "rq.serializers.DefaultSerializer": PickleSerializer,
    "rq.serializers.PickleSerializer": PickleSerializer,
    "rq.serializers.JSONSerializer": JSONSerializer,
}


def resolve(spec: object, *, setting: str) -> Serializer:
    """The serializer that a setting or an option names.

    Args:
        spec: None (pickle), ``'pickle'``, ``'json'``, a dotted path, or the serializer itself.
        setting: the setting or option, for the error.

    Raises:
        ConfigurationError: it cannot be imported, or has no ``dumps`` and ``loads``.
    """
    if spec is None or spec == "":
        return PickleSerializer
    if spec is PickleSerializer or spec is JSONSerializer:
        return spec  # the check below would take longer than the serializer itself
    found = spec
    if isinstance(spec, str):
        known = _KNOWN.get(spec)
        if known is not None:
            return known
        module, _, name = spec.rpartition(".")
        try:
            found = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError, ValueError) as exc:
            raise ConfigurationError(
                f"{setting}: the serializer {spec!r} can't be imported ({exc}). "
                "Use 'pickle', 'json' or the dotted path of an object with dumps and loads."
            ) from exc
    if not isinstance(found, Serializer):
        raise ConfigurationError(
            f"{setting}: {spec!r} is not a serializer: it lacks dumps or loads. "
            "Use 'pickle', 'json' or the dotted path of an object with dumps and loads."
        )
    return found
