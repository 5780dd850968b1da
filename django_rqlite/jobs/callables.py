"""Converts a function to the name by which a worker finds it, and back."""

from __future__ import annotations

import builtins
import importlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from types import FunctionType
from typing import Any

from ..exceptions import InvalidFunctionError

#: Characters of one argument in a description (RQ: rq/job.py).
_ARGUMENT_LENGTH = 75

#: The maximum number of characters of a description.
MAX_DESCRIPTION_LENGTH = 1000

#: The maximum number of positional arguments, and keyword arguments, that fit into a description.
_MAX_ARGUMENTS = MAX_DESCRIPTION_LENGTH // len("1, ")


def reference(func: object) -> tuple[str, object | None]:
    """Return the name of a function as a job stores it: ``(name, instance)``, as in RQ.

    Args:
        func: A function, a bound method, a callable instance, or a dotted path.

    Raises:
        InvalidFunctionError: A worker could not find it by that name.
    """
    if isinstance(func, FunctionType):
        return _checked_function(func), None
    if isinstance(func, str):
        return _checked_path(func), None
    if inspect.ismethod(func) or (inspect.isbuiltin(func) and func.__module__ is None):
        instance = _checked_instance(func.__self__, func)
        return _checked_method(func), instance
    if inspect.isbuiltin(func):
        return _checked_function(func), None
    if callable(func) and not inspect.isclass(func):
        if name := _path_of_object(func):
            return name, None
        if isinstance(func, partial):
            reference(func.func)  # a worker must be able to find that, too
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
            f"{path!r} is not a dotted path to a function. Write it as 'package.module.function'."
        )
    if len(parts) == 1 and not hasattr(builtins, path):
        raise InvalidFunctionError(
            f"{path!r} does not name a module. Write the function as 'package.module.{path}'."
        )
    if parts[0] == "__main__":
        raise InvalidFunctionError(
            f"{path!r} is in __main__, which is another module in a worker. Move the function "
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


def _checked_method(method: Any) -> str:
    """Return the name by which a worker finds a method on its object."""
    name: str = method.__name__
    owner = method.__self__
    try:
        found = getattr(owner, name)
    except AttributeError:
        found = None
    if found == method or (
        # A class that was reloaded has new functions with the same names.
        callable(found) and _qualified_name(found) == _qualified_name(method)
    ):
        return name
    shown = f"{_qualified_name(method) or name} of {_brief(owner)}"
    if name.startswith("__") and not name.endswith("__"):
        raise InvalidFunctionError(
            f"{shown} can't be enqueued: Python hides {name!r} from other code, so a worker can't "
            "find it. Enqueue a method whose name does not begin with two underscores."
        )
    problem = "has no such attribute" if found is None else f"has something else as {name!r}"
    raise InvalidFunctionError(
        f"{shown} can't be enqueued: a worker looks for {name!r}, and the object {problem}. If a "
        "decorator made the method, let it use functools.wraps."
    )


def _qualified_name(func: object) -> str | None:
    name = getattr(func, "__qualname__", None)
    return name if isinstance(name, str) else None


def _path_of_object(func: object) -> str | None:
    """Return the dotted path of an object at the top level of a module; None for other objects.

    A function with ``functools.lru_cache`` is such an object.
    """
    module, name = getattr(func, "__module__", None), _qualified_name(func)
    if not isinstance(module, str) or name is None or module == "__main__":
        return None
    found = _found_in(sys.modules.get(module), name)
    return f"{module}.{name}" if found is func else None


def _found_in(module: object, qualified_name: str) -> object | None:
    found: object | None = module
    for part in qualified_name.split("."):
        found = getattr(found, part, None)
    return found


def _checked_function(func: Callable[..., object]) -> str:
    path, within = func.__module__, func.__qualname__
    name = f"{path}.{within}"
    module = sys.modules.get(path)
    if path != "__main__" and getattr(module, within, None) is func:
        return name  # the usual case
    if "<" not in name and path != "__main__":
        # A decorator may have replaced the function. Then a worker calls the replacement.
        if module is None or callable(_found_in(module, within)):
            return name
        if getattr(getattr(module, "__spec__", None), "_initializing", False):
            return name  # its module is still being imported, so the name is not bound yet
        raise _not_found(func, name)
    if func.__name__ == "<lambda>":
        raise InvalidFunctionError(
            f"The lambda {name} can't be enqueued: it has no name by which a worker could find it. "
            "Define a function with def at the top level of a module."
        )
    if "<locals>" in func.__qualname__:
        raise InvalidFunctionError(
            f"{name} is defined inside another function, where no worker can find it. Move it to "
            "the top level of its module. If a decorator made it, let that use functools.wraps."
        )
    if func.__module__ == "__main__":
        raise InvalidFunctionError(
            f"{name} is in __main__, which is another module in a worker. Move the function to "
            "an importable module, such as an app's jobs.py."
        )
    return name


def _not_found(func: Callable[..., object], name: str) -> InvalidFunctionError:
    if func.__name__.startswith("__") and "." in func.__qualname__:
        return InvalidFunctionError(
            f"{name} can't be enqueued: Python hides {func.__name__!r} from code outside of its "
            "class, so a worker can't find it. Choose a name that does not begin with two "
            "underscores."
        )
    return InvalidFunctionError(
        f"{name} can't be enqueued: the module {func.__module__} has nothing to call under that "
        "name, where a worker would look for it. Give the function the name that it is bound to; "
        "if a decorator made it, let that use functools.wraps."
    )


def resolve(name: str, instance: object | None) -> Callable[..., Any]:
    """Return the function that a job calls; the reverse of :func:`reference`.

    Raises:
        ModuleNotFoundError: No part of the path is a module.
        AttributeError: The module, or the instance, has no attribute of that name.
        Exception: Whatever the module raised when it was imported.
    """
    if instance is not None:
        method: Callable[..., Any] = getattr(instance, name)
        return method
    parts = name.split(".")
    # The longest path that is a module. The rest may be a class and its static method.
    for end in range(len(parts) - 1, 0, -1):
        path = ".".join(parts[:end])
        try:
            # A loaded module is found without the import machinery: a child that was just forked
            # would have to copy the memory pages that this touches.
            found: Any = sys.modules.get(path) or importlib.import_module(path)
        except ModuleNotFoundError as exc:
            missing = exc.name or ""
            if path == missing or path.startswith(f"{missing}."):
                continue
            raise  # the module exists, but something that it imports does not
        if end < len(parts) - 1 and not hasattr(found, parts[end]):
            raise ModuleNotFoundError(f"No module named {f'{path}.{parts[end]}'!r}")
        for part in parts[end:]:
            found = getattr(found, part)
        return found  # type: ignore[no-any-return]
    if len(parts) == 1 and hasattr(builtins, name):
        return getattr(builtins, name)  # type: ignore[no-any-return]
    raise ModuleNotFoundError(f"No module named {parts[0]!r}, so there is no {name!r}")


def description(
    name: str, instance: object | None, args: Sequence[object], kwargs: Mapping[str, object]
) -> str:
    """Return a job's description, as RQ writes it: ``my_module.f('x', y=1)``.

    A ``functools.partial`` is described as the call that it stands for.

    Args:
        name, instance: As :func:`reference` returns them.
    """
    while name == "__call__" and isinstance(instance, partial):
        called: partial[object] = instance
        args, kwargs = (*called.args, *args), {**called.keywords, **kwargs}
        try:
            name, instance = reference(called.func)
        except InvalidFunctionError:
            name, instance = _brief(called.func), None  # RQ's client enqueued the job
    return call_string(name, args, kwargs)


def call_string(name: str, args: Sequence[object], kwargs: Mapping[str, object]) -> str:
    """Return a call as a line of Python. Long arguments are shortened, and too many are cut off."""
    if not args and not kwargs:
        return f"{name}()"
    few = len(args) <= _MAX_ARGUMENTS and len(kwargs) <= _MAX_ARGUMENTS
    shown = [_brief(arg) for arg in (args if few else args[:_MAX_ARGUMENTS])]
    if kwargs:
        names = sorted(kwargs, key=str) if len(kwargs) > 1 else kwargs
        shown += [f"{key}={_brief(kwargs[key])}" for key in islice(names, _MAX_ARGUMENTS)]
    text = f"{name}({', '.join(shown)})"
    if few and len(text) <= MAX_DESCRIPTION_LENGTH:
        return text
    length = len(name) + len("(...)")
    for number, part in enumerate(shown):
        length += len(part) + 2
        if length > MAX_DESCRIPTION_LENGTH:
            del shown[number:]
            break
    return f"{name}({', '.join([*shown, '...'])})"


def _brief(value: object) -> str:
    kind = type(value)
    try:
        if kind is str and len(value) <= _ARGUMENT_LENGTH:  # type: ignore[arg-type]
            text = repr(value)
        elif kind in _SIZED:
            text = _beginning(value, _ARGUMENT_LENGTH + 1)
        else:
            text = repr(value)
    except Exception as exc:  # noqa: BLE001 - a value's own repr may raise anything
        text = f"<{type(value).__name__} whose repr raises {type(exc).__name__}>"
    return text if len(text) <= _ARGUMENT_LENGTH else f"{text[:_ARGUMENT_LENGTH]}..."


def _beginning(value: Any, most: int) -> str:
    """Return at least the first characters of a value's repr.

    Large plain containers are formatted only as far as needed.
    """
    kind = type(value)
    if kind is str or kind is bytes:
        return repr(value[: max(most, 0)])
    if kind not in _BRACKETS or not value:
        return repr(value)
    opening, closing = _BRACKETS[kind]
    text = opening
    for item in value:
        if len(text) >= most:
            return text
        text += _beginning(item, most - len(text))
        if kind is dict:
            text += f": {_beginning(value[item], most - len(text))}"
        text += ", "
    if kind is tuple and len(value) == 1:
        return f"{text[:-1]}{closing}"
    return f"{text[:-2]}{closing}"


#: The plain containers, and the brackets around their items.
_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    dict: ("{", "}"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
}

#: Types whose values may be of any length and can be formatted in part.
_SIZED = frozenset({str, bytes, *_BRACKETS})
