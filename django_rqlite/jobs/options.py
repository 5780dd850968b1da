"""The options of an enqueueing call, spelled and checked once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from ..exceptions import InvalidJobError, InvalidJobIdError
from ..protocol.durations import parse_duration
from ..protocol.records import JOB_ID
from .policies import Callback, Dependency, Repeat, Retry

_T = TypeVar("_T")

#: RQ's options that this release does not know. Passing one on to the function would only fail
#: later, in the worker; leaving it out would silently do something else than was asked.
_NOT_YET = ("webhooks",)


@dataclass(frozen=True, slots=True)
class JobOptions:
    """What may be said about a job beside the call itself. Durations in whole seconds.

    Attributes:
        timeout: how long it may run; −1 without limit; None: the queue's default.
        result_ttl: how long its result is kept; −1 for ever, 0 not at all; None: the default.
        failure_ttl: how long it is kept when it failed; −1 for ever, 0 for no longer than a
            second; None: a year.
        ttl: how long it may wait; None: for ever.
        description: None: made from the call.
        job_id: None: a new one.
        at_front: before all others of its queue.
        meta: the job's own notes; None: none.
        on_success, on_failure, on_stopped: what is called when it has ended; None: nothing.
        depends_on: what it waits for; None: nothing.
        retry: what happens when it fails; None: it stays failed.
        repeat: what happens when it has succeeded; None: nothing.
        group_id: the name of its group; None: none.
        unique: whether it is refused while there is any job with its ``job_id``.
        unique_key: what no other job may be enqueued with while this one waits or runs.
        unique_for: seconds after which others may, all the same; with ``unique_key`` only.
    """

    timeout: int | None = None
    result_ttl: int | None = None
    failure_ttl: int | None = None
    ttl: int | None = None
    description: str | None = None
    job_id: str | None = None
    at_front: bool = False
    meta: Mapping[str, Any] | None = None
    on_success: Callback | None = None
    on_failure: Callback | None = None
    on_stopped: Callback | None = None
    depends_on: Dependency | None = None
    retry: Retry | None = None
    repeat: Repeat | None = None
    group_id: str | None = None
    unique: bool = False
    unique_key: str | None = None
    unique_for: int | None = None

    def said(self) -> dict[str, Any]:
        """The options as keywords of ``create_job``.

        Those that RQ's knows are there in any case, since what a project overrides may count on
        them. Those that RQ gives to ``enqueue_job`` only are left out.
        """
        values = ((field.name, getattr(self, field.name), field.default) for field in fields(self))
        return {
            name: value
            for name, value, default in values
            if name not in _OF_ENQUEUE_JOB and (value != default or name not in _OURS_ALONE)
        }


#: What RQ gives to ``enqueue_job`` only.
_OF_ENQUEUE_JOB = frozenset({"at_front", "unique"})

#: What RQ has not at all.
_OURS_ALONE = frozenset({"unique_key", "unique_for"})

#: The options of a call that has none.
NOTHING_SAID = JobOptions()

#: What ``enqueue`` takes out of its keywords. Not the group: it is an option of other calls only,
#: as in RQ, so a function may well have an argument of that name.
_OPTIONS = {field.name for field in fields(JobOptions)} - {"timeout", "group_id"} | {
    *_NOT_YET,
    "pipeline",
}
#: All that means something to ``enqueue`` itself.
_TAKEN = _OPTIONS | {"job_timeout", "args", "kwargs"}


def checked(
    *,
    timeout: int | str | None = None,
    result_ttl: int | str | None = None,
    failure_ttl: int | str | None = None,
    ttl: int | str | None = None,
    description: str | None = None,
    job_id: str | None = None,
    at_front: bool = False,
    meta: Mapping[str, Any] | None = None,
    on_success: object = None,
    on_failure: object = None,
    on_stopped: object = None,
    depends_on: object = None,
    retry: Retry | None = None,
    repeat: Repeat | None = None,
    group_id: str | None = None,
    unique: bool = False,
    unique_key: str | None = None,
    unique_for: int | str | None = None,
    timeout_name: str = "timeout",
    **unknown: Any,
) -> JobOptions:
    """The options of ``enqueue_call``.

    Args:
        timeout_name: what the caller knows the timeout as, for errors.

    Raises:
        InvalidDurationError: a duration is none, or too small.
        InvalidJobIdError: RQ would not accept the id.
        InvalidJobError: an option is not known.
    """
    for name, value in unknown.items():
        if name in _NOT_YET:
            if value:
                raise InvalidJobError(
                    f"The option {name!r} is not supported by this release of django_rqlite. To "
                    f"pass {name!r} to the function itself, use args=(...) and kwargs={{...}}."
                )
        elif name == "pipeline":
            if value is not None:
                raise InvalidJobError(
                    "The option 'pipeline' is not supported: one enqueue is one atomic script "
                    "here, so there is nothing to group. Leave it out."
                )
        else:
            raise InvalidJobError(
                f"enqueue_call() has no option {name!r}. To pass it to the function, put it into "
                "kwargs={...}."
            )
    if job_id is not None and not (isinstance(job_id, str) and JOB_ID.fullmatch(job_id)):
        raise InvalidJobIdError(
            f"job_id {job_id!r} has characters other than letters, digits, '_' and '-', or is "
            "empty. Choose another, or leave it out to get a new one."
        )
    if meta is not None and not isinstance(meta, Mapping):
        raise InvalidJobError(f"meta must be a dictionary, not {type(meta).__name__}.")
    if group_id is not None and not (isinstance(group_id, str) and group_id):
        raise InvalidJobError(f"group_id must be the name of a group, not {group_id!r}.")
    if unique and job_id is None:
        raise InvalidJobError(
            "unique=True needs a job_id, of which there shall be no other job. For other jobs that "
            "shall not wait or run at the same time, give them a unique_key."
        )
    return JobOptions(
        timeout=_duration(timeout, timeout_name, minimum=1),
        result_ttl=_duration(result_ttl, "result_ttl"),
        failure_ttl=_duration(failure_ttl, "failure_ttl"),
        ttl=_ttl(ttl),
        description=None if description is None else str(description),
        job_id=job_id,
        at_front=bool(at_front),
        meta=meta,
        on_success=None if on_success is None else Callback.of(on_success),
        on_failure=None if on_failure is None else Callback.of(on_failure),
        on_stopped=None if on_stopped is None else Callback.of(on_stopped),
        depends_on=_dependency(depends_on),
        retry=_of_kind(retry, Retry, "retry", "Retry(max=3)"),
        repeat=_of_kind(repeat, Repeat, "repeat", "Repeat(times=3)"),
        group_id=group_id,
        unique=bool(unique),
        unique_key=unique_key,
        unique_for=_unique_for(unique_key, unique_for),
    )


def refuse_pipeline(given: object, call: str, error: type[Exception]) -> None:
    """Refuse what RQ's signatures have and would be overlooked here.

    Raises:
        Exception: ``error``, where a pipeline was given.
    """
    if given is not None:
        raise error(
            f"{call} can't use a pipeline of yours: it is one atomic script by itself, which runs "
            "at once. Leave the pipeline out."
        )


def split(
    args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[JobOptions, Sequence[Any], Mapping[str, Any]]:
    """Part the keywords of ``enqueue`` into options and the function's own, as RQ does.

    With ``args=`` or ``kwargs=`` given explicitly, these alone go to the function.

    Raises:
        InvalidJobError: other arguments beside explicit ones, or see :func:`checked`.
    """
    if _TAKEN.isdisjoint(kwargs):
        return NOTHING_SAID, args, kwargs
    given: dict[str, Any] = {}
    if "job_timeout" in kwargs:
        given["timeout"] = kwargs.pop("job_timeout")
        given["timeout_name"] = "job_timeout"
    for name in _OPTIONS & kwargs.keys():
        given[name] = kwargs.pop(name)
    if "args" in kwargs or "kwargs" in kwargs:
        if args:
            raise InvalidJobError(
                "Positional arguments can't be combined with explicit args=(...) and "
                "kwargs={...}. Put all of them into args."
            )
        args = kwargs.pop("args", None) or ()
        explicit = kwargs.pop("kwargs", None) or {}
        if kwargs:
            raise InvalidJobError(
                f"The keywords {', '.join(map(repr, kwargs))} would be lost beside explicit "
                "args=(...) and kwargs={...}. Put all of them into kwargs."
            )
        kwargs = explicit
    return checked(**given), args, kwargs


def _duration(value: float | str | None, name: str, minimum: int = 0) -> int | None:
    return None if value is None else parse_duration(value, name=name, minimum=minimum)


def _unique_for(key: object, seconds: int | str | None) -> int | None:
    if key is None and seconds is None:
        return None
    if not isinstance(key, str) or not key:
        raise InvalidJobError(
            f"unique_key must be non-empty text, not {key!r}: jobs with the same one exclude each "
            "other while they wait or run."
        )
    if seconds is None:
        raise InvalidJobError(
            f"unique_key={key!r} needs unique_for: the seconds, or a form such as '10m', after "
            "which another job may have the key even if this one has not ended."
        )
    return parse_duration(seconds, name="unique_for", minimum=1, forever=False)


def _dependency(given: object) -> Dependency | None:
    if given is None or given == []:
        return None
    try:
        return Dependency.of(given)
    except ValueError as exc:
        raise InvalidJobError(f"depends_on: {exc}") from exc


def _of_kind(value: Any, kind: type[_T], name: str, example: str) -> _T | None:
    if value is None or isinstance(value, kind):
        return value
    raise InvalidJobError(f"{name} must be a {kind.__name__}, such as {example}, not {value!r}.")


def _ttl(value: int | str | None) -> int | None:
    seconds = _duration(value, "ttl", minimum=1)
    return None if seconds == -1 else seconds
