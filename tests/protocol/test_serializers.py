"""The serializers, and the values of ``SERIALIZER``."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
import redis as redis_py

from django_rqlite import Job, get_queue
from django_rqlite.exceptions import ConfigurationError, DeserializationError
from django_rqlite.protocol.serializers import (
    JSONSerializer,
    PickleSerializer,
    resolve,
)


class Compressing:
    """A project's own serializer, whose bytes look like RQ's compressed ones."""

    @staticmethod
    def dumps(obj: Any) -> bytes:
        return zlib.compress(json.dumps(obj).encode())

    @staticmethod
    def loads(data: bytes) -> Any:
        return json.loads(zlib.decompress(data))


class OnlyDumps:
    @staticmethod
    def dumps(obj: Any) -> bytes:
        return b""


@pytest.mark.parametrize(
    ("spec", "serializer"),
    [
        *[(spec, PickleSerializer) for spec in (None, "", "pickle")],
        ("json", JSONSerializer),
        ("rq.serializers.DefaultSerializer", PickleSerializer),
        ("rq.serializers.PickleSerializer", PickleSerializer),
        ("rq.serializers.JSONSerializer", JSONSerializer),
        ("tests.protocol.test_serializers.Compressing", Compressing),
        (Compressing, Compressing),
    ],
)
def test_every_way_to_name_one(spec: object, serializer: object) -> None:
    assert resolve(spec, setting="SERIALIZER") is serializer


def test_an_instance_is_one_too() -> None:
    made = Compressing()
    assert resolve(made, setting="SERIALIZER") is made


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("jason", "can't be imported"),
        ("tests.no_such_module.X", "can't be imported"),
        ("tests.protocol.test_serializers.NoSuch", "can't be imported"),
        ("tests.protocol.test_serializers.OnlyDumps", "lacks dumps or loads"),
        (OnlyDumps, "lacks dumps or loads"),
        (7, "lacks dumps or loads"),
        (".x", "can't be imported"),
    ],
)
def test_a_wrong_one_is_explained(spec: object, said: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"the setting: .*{said}.*'pickle', 'json'"):
        resolve(spec, setting="the setting")


@pytest.mark.parametrize("serializer", [PickleSerializer, JSONSerializer])
def test_a_round_trip(serializer: Any) -> None:
    value = ["f", None, [1, "é"], {"a": 1.5}]
    assert serializer.loads(serializer.dumps(value)) == value


def test_pickles_are_of_one_protocol() -> None:
    assert PickleSerializer.dumps(1)[:2] == b"\x80\x05"


@pytest.mark.parametrize("length", [1, 3000])
@pytest.mark.parametrize("spec", ["json", "tests.protocol.test_serializers.Compressing"])
def test_jobs_of_a_queue_with_another_serializer(
    redis: redis_py.Redis, spec: str, length: int
) -> None:
    queue = get_queue(serializer=spec, is_async=False)
    job = queue.enqueue("tests.sample_jobs.echo", "x" * length, meta={"a": "b"})
    fetched = Job.fetch(job.id, connection=queue.connection, serializer=spec)
    assert fetched.args == ("x" * length,)
    assert fetched.meta == {"a": "b"}
    assert fetched.return_value() == "x" * length


def test_the_wrong_serializer_is_named(redis: redis_py.Redis) -> None:
    job = get_queue(serializer="json").enqueue("tests.sample_jobs.echo", 1)
    with pytest.raises(DeserializationError, match=r"'default'.*SERIALIZER"):
        _ = Job.fetch(job.id).args
