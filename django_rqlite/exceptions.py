"""Every error this package raises on purpose.

One root, :class:`RQLiteError`. Where RQ, Django or Python has a class of its own for the same
mistake, ours inherits from it too, so that existing ``except`` clauses go on working.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import redis
from django.core.exceptions import ImproperlyConfigured

from .compat.missing_names import module_getattr


class RQLiteError(Exception):
    """The root of all errors of django_rqlite."""


class ConfigurationError(RQLiteError, ImproperlyConfigured):
    """``RQ_QUEUES`` or ``RQ`` in the settings cannot be used as it stands."""


class MissingExtraError(ConfigurationError):
    """The settings ask for something that needs a package which is not installed."""


class UnknownQueueError(RQLiteError, KeyError):
    """A queue was asked for that ``RQ_QUEUES`` does not configure."""

    # KeyError shows the repr of its argument; a sentence should be shown as it is.
    __str__ = Exception.__str__


class InvalidQueueError(ConfigurationError, ValueError):
    """Queues can't be used together, or what should be the key of a queue is none."""


class RedisUnavailableError(RQLiteError, redis.ConnectionError):
    """The Redis server did not answer. The message names its address, never its password."""


class RedisRefusedError(RQLiteError, redis.ResponseError):
    """The Redis server answered that it can't do what it was asked: its disk is full, say.

    The message names its address and what helps.
    """


class RedisOutOfMemoryError(RedisRefusedError, redis.exceptions.OutOfMemoryError):
    """The Redis server has reached its ``maxmemory``, and evicts nothing."""


class RedisReadOnlyError(RedisRefusedError, redis.exceptions.ReadOnlyError):
    """The Redis server is a replica."""


class RedisPermissionError(RedisRefusedError, redis.exceptions.NoPermissionError):
    """The Redis server does not permit its user (an ACL) what it was asked."""


class InvalidJobError(RQLiteError, ValueError):
    """The arguments of an enqueueing call cannot become a job. Nothing was written."""


class InvalidFunctionError(InvalidJobError, TypeError):
    """What was to be enqueued is not something a worker could import and call."""


class InvalidJobIdError(InvalidJobError):
    """A job id has characters other than RQ allows (letters, digits, ``_`` and ``-``)."""


class InvalidDurationError(InvalidJobError):
    """A timeout or TTL is neither whole seconds nor a form such as ``'1h30m'``."""


class UnserializableError(InvalidJobError, TypeError):
    """An argument, or a result, cannot be serialized by the queue's serializer."""


class InvalidJobDependency(InvalidJobError):
    """A job that another is to wait for is not in Redis yet, or on another server. Nothing was
    written."""


class PayloadTooLargeError(InvalidJobError, redis.ResponseError):
    """The Redis server does not take so many bytes at once. The message names their number, and the
    server's limit. Nothing was written of the job they belong to."""


class DuplicateJobError(InvalidJobError):
    """A job with this id runs now, or is there and was to be the only one; or another job holds the
    unique key. Nothing was written."""


class InvalidJobOperation(RQLiteError):
    """The job is in a state in which this cannot be done with it."""


class NoSuchJobError(InvalidJobOperation):
    """There is no job with this id in Redis: it never was, was deleted, or its TTL ended."""


class NoSuchGroupError(RQLiteError):
    """There is no group of this name: it never had a job, or all its jobs are gone."""


#: RQ has two names for it.
InvalidJobOperationError = InvalidJobOperation

#: RQ's name for it.
TimeoutFormatError = InvalidDurationError


class DeserializationError(RQLiteError):
    """Bytes in Redis (``data``, ``meta``, ``result``) are not what the serializer wrote."""


class SignatureError(RQLiteError):
    """Bytes in Redis are not signed, or not by this project's ``SECRET_KEY``."""


class WorkerNameTakenError(RQLiteError):
    """A live worker already goes by this name."""


class ForkServerError(RQLiteError):
    """The process that makes a worker's children could not be started, or has died."""


class JobDiedError(RQLiteError):
    """What a failure callback is told when the job's process ended without an outcome, or Redis did
    not take the outcome."""


#: RQ's name for it.
AbandonedJobError = JobDiedError


class JobTimeoutException(Exception):
    """Raised inside a job that ran longer than its timeout, and again every second after.

    Not an :class:`RQLiteError`: it is part of the job's life, not a mistake of the caller.
    """


if not TYPE_CHECKING:  # else type checkers would take any name for one of this module's
    __getattr__ = module_getattr(__name__)
