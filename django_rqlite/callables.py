"""Between a function and the name a worker finds it by."""

from __future__ import annotations

import builtins
import importlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any

from .exceptions import InvalidFunctionError

#: Characters of one argument that a description shows (RQ: rq/job.py).
_SHOWN = 75


def reference(func: object) -> tuple[str, object | None]:
    """How a job names what it calls: ``(name, instance)``, as RQ does.

    Args:
        func: a function, a bound method, a callable instance, or a dotted path.

    Raises:
        InvalidFunctionError: a worker could not find it again.
    """
    if isinstance(func, FunctionType):
        return _checked_function(func), None
    if isinstance(func, str):
        return _checked_path(func), None
    if inspect.ismethod(func) or (inspect.isbuiltin(func) and func.__module__ is None):
        return func.__name__, _checked_instance(func.__self__, func)
    if inspect.isbuiltin(func):
        return _checked_function(func), None
    if callable(func) and not inspect.isclass(func):
        return "__call__", _checked_instance(func, func)
    hint = (
        f"Enqueue a function that makes a {func.__name__}, or its dotted path as text."
        if inspect.isclass(func)
        else "Enqueue a function, a bound method, a callable instance or a dotted path as text."
    )
    raise InvalidFunctionError(f"{_brief(func)} can't be enqueued. {hint}")


def _checked_path(path: str) -> str:
    parts = path.split(".")
    if not all(part.isidentifier() for part in parts):
        raise InvalidFunctionError(
            f"{path!r} is no dotted path to a function. Write it as 'package.module.function'."
        )
    if len(parts) == 1 and not hasattr(builtins, path):
        raise InvalidFunctionError(
            f"{path!r} names no module. Write the function as 'package.module.{path}'."
        )
    if parts[0] == "__main__":
        raise InvalidFunctionError(
            f"{path!r} lives in __main__, which is another module in a worker. Move the function "
            "to an importable module, such as an app's jobs.py."
        )
    return path


def _checked_instance(instance: object, func: object) -> object:
    cls = instance if inspect.isclass(instance) else type(instance)
    if cls.__module__ == "__main__":
        raise InvalidFunctionError(
            f"{_brief(func)} is of a class in __main__, which is another module in a worker. Move "
            "the class to an importable module."
        )
    return instance


def _checked_function(func: Callable[..., object]) -> str:
    name = f"{func.__module__}.{func.__qualname__}"
    if "<" not in name and func.__module__ != "__main__":
        return name
    if func.__name__ == "<lambda>":
        raise InvalidFunctionError(
            f"The lambda {name} can't be enqueued: a worker has no name to find it by. Define it "
            "with def at the top of a module."
        )
    if "<locals>" in func.__qualname__:
        raise InvalidFunctionError(
            f"{name} is defined inside another function, where no worker can find it. Move it to "
            "the top of its module."
        )
    if func.__module__ == "__main__":
        raise InvalidFunctionError(
            f"{name} lives in __main__, which is another module in a worker. Move the function to "
            "an importable module, such as an app's jobs.py."
        )
    return name


def resolve(name: str, instance: object | None) -> Callable[..., Any]:
    """The reverse of :func:`reference`, in the worker.

    Raises:
        ModuleNotFoundError: no part of the path is a module.
        AttributeError: the module, or the instance, has nothing of that name.
        ImportError, or any other error: what the module raised when it was imported.
    """
    if instance is not None:
        method: Callable[..., Any] = getattr(instance, name)
        return method
    parts = name.split(".")
    # The longest path that is a module; what follows may be a class and its static method.
    for end in range(len(parts) - 1, 0, -1):
        path = ".".join(parts[:end])
        try:
            # Found without the import machinery where it can be: a fresh child would have to touch
            # all of that.
            found: Any = sys.modules.get(path) or importlib.import_module(path)
        except ModuleNotFoundError as exc:
            missing = exc.name or ""
            if path == missing or path.startswith(f"{missing}."):
                continue
            raise  # the module is there; something that it imports is not
        if end < len(parts) - 1 and not hasattr(found, parts[end]):
            raise ModuleNotFoundError(f"No module named {f'{path}.{parts[end]}'!r}")
        for part in parts[end:]:
            found = getattr(found, part)
        return found  # type: ignore[no-any-return]
    if len(parts) == 1 and hasattr(builtins, name):
        return getattr(builtins, name)  # type: ignore[no-any-return]
    raise ModuleNotFoundError(f"No module named {parts[0]!r}, so there is no {name!r}")


def call_string(name: str, args: Sequence[object], kwargs: Mapping[str, object]) -> str:
    """A job's description, as RQ writes it: ``my_module.f('x', y=1)``."""
    if not args and not kwargs:
        return f"{name}()"
    shown = [_brief(arg) for arg in args]
    shown += sorted(f"{key}={_brief(value)}" for key, value in kwargs.items())
    return f"{name}({', '.join(shown)})"


def _brief(value: object) -> str:
    try:
        text = repr(value)
    except Exception as exc:  # noqa: BLE001 - a value's own repr may raise anything
        text = f"<{type(value).__name__} whose repr raises {type(exc).__name__}>"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
