"""Files of cron entries for ``manage.py rqcron``, in the format of RQ 2.12's ``rq cron``.

Such a file calls :func:`register`::

    from django_rqlite import cron
    from myapp.jobs import send_report

    cron.register(send_report, "default", cron="0 9 * * mon-fri")
"""

from __future__ import annotations

import importlib
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import util
from pathlib import Path
from typing import Any

from .. import conf
from ..exceptions import ConfigurationError, InvalidJobError
from ..jobs import callables
from ..jobs.options import CRON_KEYS
from .entries import Entry, check_usable, make_entry, read_func

#: The time zone of expressions, as in RQ.
DEFAULT_TIME_ZONE = "UTC"

#: The advice for a file that imports RQ.
_INSTEAD = (
    "RQ is not used here. Write `from django_rqlite import cron` instead of `from rq import cron`, "
    "or `from django_rqlite.cron import register` instead of `from rq.cron import register`; the "
    "calls stay as they are."
)

#: The module name of a file that is given by an absolute path.
_MODULE = "rqcron_config"


_registered: list[Entry] = []


def register(
    func: Callable[..., Any] | str,
    queue_name: str = "default",
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    interval: int | str | None = None,
    cron: str | None = None,
    job_timeout: int | str | None = None,
    result_ttl: int | str | None = None,
    ttl: int | str | None = None,
    failure_ttl: int | str | None = None,
    meta: Mapping[str, Any] | None = None,
    webhooks: Sequence[object] | None = None,
    name: str = "",
    *,
    timezone: str = DEFAULT_TIME_ZONE,
    **options: Any,
) -> Entry:
    """Register a job that ``manage.py rqcron`` enqueues at each tick. It has RQ's signature.

    Args:
        interval: Seconds, or text such as ``'5m'``. Give either this or ``cron``.
        cron: An expression of five fields.
        name: ``""``: the function's path. One job is enqueued for each name at a tick. A second
            entry with the same name gets a number as a suffix.
        timezone: The time zone of ``cron``; UTC by default, as in RQ.
        **options: Other options that an entry of ``RQ["CRON"]`` may have, such as ``at_front``,
            ``description`` and ``tags``.

    Raises:
        ConfigurationError: No job can be made of these arguments.
    """
    for unknown in options.keys() - CRON_KEYS.keys():
        raise TypeError(f"register() has no argument {unknown!r}.")
    if webhooks:
        raise ConfigurationError(
            "register(): webhooks are not supported by this release of django_rqlite. Take them "
            "out, and send the notification from the job."
        )
    where = f"register({name or _name_of(func)!r})"
    given = {
        "func": func,
        "queue": queue_name,
        "args": args,
        "kwargs": kwargs,
        # To RQ, zero and empty text mean "not given".
        "interval": interval or None,
        "cron": cron or None,
        "timezone": timezone,
        "job_timeout": job_timeout,
        "result_ttl": result_ttl,
        "ttl": ttl,
        "failure_ttl": failure_ttl,
        "meta": meta,
        **options,
    }
    path = name or _name_of(read_func(where, given))
    entry = make_entry(path, given, where=where, source="register()")
    check_usable(entry, where)
    _registered.append(entry)
    return entry


def take_registered() -> list[Entry]:
    """Return the entries that were registered since the last call."""
    entries = _registered.copy()
    _registered.clear()
    return entries


def _name_of(func: object) -> str:
    try:
        return callables.reference(func)[0]
    except InvalidJobError:
        return repr(func)


def load(config_path: str) -> Sequence[Entry]:
    """Return the entries that a file or module registers.

    Args:
        config_path: A module (``myapp.cron_config``), a file below the working directory or
            ``sys.path`` (``myapp/cron_config.py``), or an absolute path.

    Raises:
        ConfigurationError: The file can't be imported, or one of its entries can't be used.
    """
    take_registered()
    try:
        if Path(config_path).is_absolute():
            _run_file(Path(config_path))
        else:
            _import(config_path)
    except ConfigurationError as exc:
        raise ConfigurationError(f"{config_path}: {exc}") from exc
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] == "rq":
            raise ConfigurationError(f"{config_path} imports {exc.name}. {_INSTEAD}") from exc
        raise ConfigurationError(_not_imported(config_path, exc)) from exc
    except Exception as exc:
        raise ConfigurationError(_not_imported(config_path, exc)) from exc
    entries = _with_unique_names(take_registered(), config_path)
    if not entries:
        raise ConfigurationError(
            f"{config_path} registers nothing. It should call django_rqlite.cron.register(...). If "
            f"it calls the function of that name in RQ: {_INSTEAD}"
        )
    for entry in entries:
        if entry.func_name.startswith(f"{_MODULE}."):
            raise ConfigurationError(
                f"{config_path}: the function {entry.func_name.removeprefix(f'{_MODULE}.')!r} is "
                "defined in this file, where no worker can import it. Move it to an importable "
                "module, or name the file as a module (myapp.cron_config)."
            )
    return entries


def _import(config_path: str) -> None:
    path = config_path.removesuffix(".py").removeprefix("./").replace("/", ".")
    loaded = sys.modules.get(path)
    if loaded is not None:
        importlib.reload(loaded)  # something has imported it already, so an import would not run it
    else:
        importlib.import_module(path)


def _run_file(path: Path) -> None:
    spec = util.spec_from_file_location(_MODULE, path)
    if spec is None or spec.loader is None:
        raise ConfigurationError("this is not a Python file: its name must end with .py.")
    module = util.module_from_spec(spec)
    sys.modules[_MODULE] = module
    spec.loader.exec_module(module)


def _not_imported(config_path: str, exc: Exception) -> str:
    return (
        f"{config_path} can't be imported ({type(exc).__name__}: {exc}). Name a module that Python "
        "finds from here (myapp.cron_config), or the absolute path of a file."
    )


def _with_unique_names(entries: Sequence[Entry], source: str) -> Sequence[Entry]:
    """Add a number to a name that an earlier entry has, because names must be unique.

    Raises:
        ConfigurationError: An entry of the settings has the same name.
    """
    seen: Counter[str] = Counter()
    named = []
    for entry in entries:
        seen[entry.name] += 1
        name = entry.name if seen[entry.name] == 1 else f"{entry.name} ({seen[entry.name]})"
        if name in conf.cron():
            raise ConfigurationError(
                f"{source}: the entry {name!r} is in RQ['CRON'] too, which every worker "
                "evaluates. Take one of them out, or give this one another name=."
            )
        named.append(replace(entry, name=name, source=source))
    return named
