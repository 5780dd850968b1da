"""The errors that this package raises.

Their root is :class:`RQLiteError`. If RQ, Django or Python has a class for the same mistake, ours
inherits from it, so that existing ``except`` clauses still work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import redis
from django.core.exceptions import ImproperlyConfigured

from .compat.missing_names import module_getattr


class RQLiteError(Exception):
    """The root of all errors of django_rqlite."""


class ConfigurationError(RQLiteError, ImproperlyConfigured):
    """``RQ_QUEUES`` or ``RQ`` in the settings is invalid."""


class MissingExtraError(ConfigurationError):
    """The settings need a package that is not installed."""


class UnknownQueueError(RQLiteError, KeyError):
    """``RQ_QUEUES`` does not configure a queue of this name."""

    # KeyError shows the repr of its argument, but the argument is a sentence.
    __str__ = Exception.__str__


class InvalidQueueError(ConfigurationError, ValueError):
    """Queues cannot be used together, or a key is not the key of a queue."""


class RedisUnavailableError(RQLiteError, redis.ConnectionError):
    """The Redis server did not answer. The message has its address, never its password."""


class RedisRefusedError(RQLiteError, redis.ResponseError):
    """The Redis server refused a command because of its state. For example, its disk is full.

    The message has the address of the server and the remedy.
    """


class RedisOutOfMemoryError(RedisRefusedError, redis.exceptions.OutOfMemoryError):
    """The Redis server has reached its ``maxmemory`` and evicts nothing."""


class RedisReadOnlyError(RedisRefusedError, redis.exceptions.ReadOnlyError):
    """The Redis server is a replica."""


class RedisPermissionError(RedisRefusedError, redis.exceptions.NoPermissionError):
    """An ACL of the Redis server does not permit the command or the key."""


class InvalidJobError(RQLiteError, ValueError):
    """The arguments of an enqueueing call cannot become a job. Nothing was written."""


class InvalidFunctionError(InvalidJobError, TypeError):
    """A worker could not import and call the function."""


class InvalidJobIdError(InvalidJobError):
    """A job id has characters other than those that RQ allows: letters, digits, ``_``, ``-``."""


class InvalidDurationError(InvalidJobError):
    """A timeout or TTL is neither whole seconds nor a form such as ``'1h30m'``."""


class UnserializableError(InvalidJobError, TypeError):
    """The queue's serializer cannot serialize an argument or a result."""


class InvalidJobDependency(InvalidJobError):
    """A job depends on one that is not in Redis yet, or on another server. Nothing was written."""


class PayloadTooLargeError(InvalidJobError, redis.ResponseError):
    """The Redis server does not accept so many bytes at once.

    The message has their number and the server's limit. No part of the job was written.
    """


class DuplicateJobError(InvalidJobError):
    """The job is not enqueued, because another one has its id or its unique key.

    A job with this id is running, or exists and was required to be unique; or another job holds the
    unique key. Nothing was written.
    """


class InvalidJobOperation(RQLiteError):
    """The state of the job does not allow this operation."""


class NoSuchJobError(InvalidJobOperation):
    """Redis has no job with this id: it never existed, was deleted, or has expired."""


class NoSuchGroupError(RQLiteError):
    """There is no group of this name: it never had a job, or all of its jobs are gone."""


#: RQ has two names for this error.
InvalidJobOperationError = InvalidJobOperation

#: RQ's name for it.
TimeoutFormatError = InvalidDurationError


class DeserializationError(RQLiteError):
    """Bytes in Redis (``data``, ``meta``, ``result``) are not what the serializer wrote."""


class SignatureError(RQLiteError):
    """Bytes in Redis are not signed, or not with this project's ``SECRET_KEY``."""


class WorkerNameTakenError(RQLiteError):
    """A running worker has this name already."""


class ForkServerError(RQLiteError):
    """The process that forks a worker's children could not be started, or has died."""


class JobDiedError(RQLiteError):
    """The job's process ended without an outcome, or Redis did not accept the outcome.

    Failure callbacks get this error.
    """


#: RQ's name for it.
AbandonedJobError = JobDiedError


class JobTimeoutException(Exception):
    """Raised inside a job that runs longer than its timeout, and again every second.

    Not an :class:`RQLiteError`, because it is not a mistake of the caller.
    """


if not TYPE_CHECKING:  # Otherwise type checkers would accept any name.
    __getattr__ = module_getattr(__name__)
