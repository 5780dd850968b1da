"""Reading a file of cron entries, in the format of RQ 2.12's ``rq cron``."""

from __future__ import annotations

import importlib
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from importlib import util
from pathlib import Path

from .. import conf
from ..exceptions import ConfigurationError
from . import entries as cron
from .entries import Entry

#: What to write instead of RQ's import.
_INSTEAD = (
    "RQ is not used here. Write `from django_rqlite import cron` instead of `from rq import cron`, "
    "or `from django_rqlite.cron import register` instead of `from rq.cron import register`; the "
    "calls stay as they are."
)

#: What a file given by an absolute path is called as a module.
_MODULE = "rqcron_config"


def load(config_path: str) -> Sequence[Entry]:
    """The entries that a file or module registers.

    Args:
        config_path: a module (``myapp.cron_config``), a file below the working directory or
            ``sys.path`` (``myapp/cron_config.py``), or an absolute path.

    Raises:
        ConfigurationError: it can't be imported, or an entry of it can't be used.
    """
    cron.take_registered()
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
    entries = _named_apart(cron.take_registered(), config_path)
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
        importlib.reload(loaded)  # imported before by something else, so it is not run again
    else:
        importlib.import_module(path)


def _run_file(path: Path) -> None:
    spec = util.spec_from_file_location(_MODULE, path)
    if spec is None or spec.loader is None:
        raise ConfigurationError("it is no Python file. Its name must end with .py.")
    module = util.module_from_spec(spec)
    sys.modules[_MODULE] = module
    spec.loader.exec_module(module)


def _not_imported(config_path: str, exc: Exception) -> str:
    return (
        f"{config_path} can't be imported ({type(exc).__name__}: {exc}). Name a module that Python "
        "finds from here (myapp.cron_config), or the absolute path of a file."
    )


def _named_apart(entries: Sequence[Entry], source: str) -> Sequence[Entry]:
    """Give entries of the same name a number, since names decide what ticks for itself.

    Raises:
        ConfigurationError: a name is one of the settings' too.
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
