"""Groups of jobs."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import redis

from ..broker.broker import Broker
from ..broker.clients import get_connection
from ..compat.missing_names import module_getattr
from ..engine.engine import Engine
from ..exceptions import NoSuchGroupError
from ..jobs.job import Job
from ..protocol import codec
from .bulk import EnqueueData
from .queue import Queue


class Group:
    """A set of jobs of one connection.

    A group exists as long as it has a job. Deleted jobs leave it at once. Workers remove expired
    ones.

    Args:
        connection: ``None``: the client of the queue ``default``.
        name: The name of the group, which need not exist; ``None``: a new name.

    Attributes:
        name: Unique on its connection.
        connection: The client of its server.
    """

    def __init__(self, connection: redis.Redis | None = None, name: str | None = None) -> None:
        self.connection = connection if connection is not None else get_connection()
        self.name = name or uuid.uuid4().hex
        self._broker = Broker.of(self.connection)
        self._engine = Engine(self._broker)

    def __repr__(self) -> str:
        return f"Group(id={self.name})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Group) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)

    @classmethod
    def create(cls, connection: redis.Redis | None = None, name: str | None = None) -> Group:
        """The same as calling the class, as in RQ. Nothing is written until the group has a job."""
        return cls(connection, name)

    @classmethod
    def fetch(cls, name: str, connection: redis.Redis | None = None) -> Group:
        """The group of this name.

        Raises:
            NoSuchGroupError: There is no such group.
            RedisUnavailableError: The server does not answer.
        """
        group = cls(connection, name)
        with group._broker.translate_errors():
            if not group.connection.exists(group.key):
                raise NoSuchGroupError(
                    f"There is no group {name!r}: it never had a job, or all its jobs are gone."
                )
        return group

    @classmethod
    def all(cls, connection: redis.Redis | None = None) -> list[Group]:
        """All groups of a connection, sorted by name."""
        connection = connection if connection is not None else get_connection()
        broker = Broker.of(connection)
        keys = broker.keys
        with broker.translate_errors():
            members = cast("set[bytes]", connection.smembers(keys.groups))
            names = sorted(map(codec.text, members))
            with connection.pipeline(transaction=False) as pipeline:
                for name in names:
                    pipeline.exists(keys.group(name))
                there = pipeline.execute()
        return [cls(connection, name) for name, found in zip(names, there, strict=True) if found]

    @property
    def key(self) -> str:
        """The key of its set."""
        return self._broker.keys.group(self.name)

    def enqueue_many(
        self,
        queue: Queue,
        job_datas: Iterable[EnqueueData],
        pipeline: None = None,
        *,
        ignore_duplicates: bool = False,
    ) -> list[Job]:
        """Enqueue jobs into a queue, and add them to this group in the same step.

        Args:
            queue: The queue.
            job_datas: See :meth:`Queue.enqueue_many`.
            pipeline: Must be ``None``; for RQ's signature.
            ignore_duplicates: See :meth:`Queue.enqueue_many`.

        Raises:
            Exception: See :meth:`Queue.enqueue_many`.
        """
        return queue.enqueue_many(
            job_datas, pipeline, self.name, ignore_duplicates=ignore_duplicates
        )

    def get_job_ids(self) -> list[str]:
        """Ids of its jobs, in no order. Jobs that have just expired may be among them."""
        with self._broker.translate_errors():
            members = cast("set[bytes]", self.connection.smembers(self.key))
        return list(map(codec.text, members))

    def get_jobs(self) -> list[Job]:
        """Its jobs, in no order, in two round trips."""
        found = Job.fetch_many(self.get_job_ids(), self.connection)
        return [job for job in found if job is not None]

    def delete_job(self, job_id: str, pipeline: None = None) -> None:
        """Remove a job from the group. The job itself stays."""
        with self._broker.translate_errors():
            self._engine.leave_group(self.name, [job_id])

    def cleanup(self) -> None:
        """Remove all ids whose jobs have expired. Workers do so too, a part at a time."""
        with self._broker.translate_errors():
            self._engine.clean_groups(self.name)


if not TYPE_CHECKING:  # otherwise type checkers would accept any name
    __getattr__ = module_getattr(__name__)
