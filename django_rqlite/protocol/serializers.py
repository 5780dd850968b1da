"""How Python values become bytes, chosen per queue with ``SERIALIZER``."""

from __future__ import annotations

import importlib
import json
import pickle
from functools import partial
from typing import Any, Protocol, runtime_checkable

from ..exceptions import ConfigurationError


@runtime_checkable
class Serializer(Protocol):
    """Anything with ``dumps`` and ``loads``: an instance, or a class whose two are static."""

    def dumps(self, obj: Any, /) -> bytes: ...

    def loads(self, data: bytes, /) -> Any: ...


class PickleSerializer:
    """The default: any picklable value. Loading runs code, hence the signatures."""

    #: Fixed, so that a worker on an older Python reads what a newer one wrote.
    PROTOCOL = 5

    #: A partial, since a function of Python's around it takes longer than a small value.
    dumps = staticmethod(partial(pickle.dumps, protocol=PROTOCOL))

    @staticmethod
    def loads(data: bytes, /) -> Any:
        return pickle.loads(data)


#: RQ's name for the one that is used where none is named.
DefaultSerializer = PickleSerializer


class JSONSerializer:
    """JSON values only: tuples come back as lists, keys as text."""

    @staticmethod
    def dumps(obj: Any, /) -> bytes:
        return json.dumps(obj, separators=(",", ":")).encode()

    @staticmethod
    def loads(data: bytes, /) -> Any:
        return json.loads(data)


#: RQ's own names are understood, so that a settings file written for RQ works without RQ.
_KNOWN: dict[str, Serializer] = {
    "pickle": PickleSerializer,
    "json": JSONSerializer,
    "rq.serializers.DefaultSerializer": PickleSerializer,
    "rq.serializers.PickleSerializer": PickleSerializer,
    "rq.serializers.JSONSerializer": JSONSerializer,
}


def known_spec(spec: object) -> bool:
    """Whether ``spec`` needs no import: None, or one of the names above."""
    return spec is None or (isinstance(spec, str) and spec in _KNOWN)


def resolve(spec: object, *, setting: str) -> Serializer:
    """The serializer that a setting or an option names.

    Args:
        spec: None (pickle), ``'pickle'``, ``'json'``, a dotted path, or the serializer itself.
        setting: where it was given, for the error.

    Raises:
        ConfigurationError: it can't be imported, or has no ``dumps`` and ``loads``.
    """
    if spec is None or spec == "":
        return PickleSerializer
    if spec is PickleSerializer or spec is JSONSerializer:
        return spec  # to look for its methods would take longer than to use them
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
            f"{setting}: {spec!r} is no serializer: it lacks dumps or loads. "
            "Use 'pickle', 'json' or the dotted path of an object with dumps and loads."
        )
    return found
