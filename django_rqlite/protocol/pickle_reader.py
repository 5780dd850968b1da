"""Reads a pickle without running it.

A pickle is a program for a small stack machine. ``pickle.loads`` runs it: it imports modules and
calls functions. The machine in this module runs the same program, but it only makes data.
A class or function stays an :class:`UnresolvedName`, and a call of it becomes an
:class:`UnresolvedCall`. Steps, copied bytes and hashed keys are limited, because the program may
be hostile.
"""

from __future__ import annotations

import datetime
import decimal
import pickletools
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

#: The maximum number of instructions that are run. Each takes some microseconds.
MOST_STEPS = 500_000

#: The maximum number of bytes and members that constructors may copy in total.
MOST_COPIED = 16_000_000

#: The maximum number of keys and members other than text that may be hashed in total, and how deep
#: they may be nested. Their hashes can be chosen to collide, and deep tuples take long to hash.
MOST_HASHED = 10_000
DEEPEST_KEY = 50


class UnreadablePickleError(ValueError):
    """The bytes are not a pickle, or the pickle costs too much to read."""


@dataclass(frozen=True, slots=True)
class UnresolvedName:
    """The name of a class or function, which is not imported."""

    name: str


@dataclass(slots=True, eq=False)
class UnresolvedCall:
    """A call of an unresolved class or function, and what was done with its result."""

    name: str
    args: tuple[Any, ...] = ()
    state: Any = None
    items: list[Any] = field(default_factory=list)


def _bytearray(content: object, encoding: str = "latin-1") -> bytearray:
    if isinstance(content, bytes):
        return bytearray(content)
    if isinstance(content, str) and encoding == "latin-1":
        return bytearray(content.encode("latin-1"))
    raise ValueError  # bytearray(number) allocates as many bytes


def _decimal(digits: object) -> decimal.Decimal:
    if isinstance(digits, str) and len(digits) <= 1000:
        return decimal.Decimal(digits)
    raise ValueError  # hashing or showing more digits takes long


#: Harmless constructors of the standard library, which are called.
_VALUES: dict[str, Callable[..., Any]] = {
    "builtins.bytearray": _bytearray,
    "__builtin__.bytearray": _bytearray,
    "datetime.date": datetime.date,
    "datetime.datetime": datetime.datetime,
    "datetime.time": datetime.time,
    "datetime.timedelta": datetime.timedelta,
    "datetime.timezone": datetime.timezone,
    "decimal.Decimal": _decimal,
}
_SETS: dict[str, Callable[[Iterable[Any]], Any]] = {
    f"{module}.{kind.__name__}": kind
    for module in ("builtins", "__builtin__")
    for kind in (set, frozenset)
}
#: The types of arguments that such a constructor accepts here.
_PLAIN = frozenset(
    {
        *(type(None), bool, int, float, str, bytes),
        *(datetime.date, datetime.datetime, datetime.time),
        *(datetime.timedelta, datetime.timezone),
    }
)


def read(payload: bytes) -> Any:
    """The value that a pickle describes, as plain data.

    Raises:
        UnreadablePickleError: the bytes are not a pickle, or the pickle costs too much to read.
    """
    try:
        return _Machine().run(payload)
    except UnreadablePickleError:
        raise
    except Exception as exc:
        # Invalid input can make an instruction raise any exception.
        raise UnreadablePickleError(f"{type(exc).__name__}: {exc}") from exc


class _Machine:
    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []  # the stacks below each mark
        self.memo: dict[int, Any] = {}
        self.copied = 0
        self.hashed = 0

    def run(self, payload: bytes) -> Any:
        for step, (opcode, argument, _) in enumerate(pickletools.genops(payload)):
            if step > MOST_STEPS:
                raise UnreadablePickleError(f"it takes more than {MOST_STEPS} steps")
            if opcode.name == "STOP":
                return self.stack.pop()
            handler = self._HANDLERS.get(opcode.name)
            if handler is not None:
                handler(self, argument)
            elif argument is None:
                raise UnreadablePickleError(f"it has the unknown instruction {opcode.name}")
            else:
                self.stack.append(argument)  # a literal
        raise UnreadablePickleError("it has no end")

    # Limits

    def _copy(self, amount: int) -> None:
        self.copied += amount
        if self.copied > MOST_COPIED:
            raise UnreadablePickleError("it copies too much")

    def _hashable(self, value: Any, depth: int = 0) -> Any:
        """Return a key or member, if hashing it is cheap."""
        if not depth and (type(value) is str or type(value) is bytes):
            return value
        self.hashed += value.bit_length() // 64 if type(value) is int else 1
        if self.hashed > MOST_HASHED or depth > DEEPEST_KEY:
            raise UnreadablePickleError("it has too many keys, or too deep ones")
        if isinstance(value, tuple | frozenset):
            for item in value:
                self._hashable(item, depth + 1)
        return value

    # Stack and memo

    def _push(self, value: Any) -> None:
        self.stack.append(value)

    def _marked(self) -> list[Any]:
        items = self.stack
        self.stack = self.below.pop()
        return items

    def _mark(self, _: Any) -> None:
        self.below.append(self.stack)
        self.stack = []

    def _pop(self, _: Any) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self._marked()

    def _pop_mark(self, _: Any) -> None:
        self._marked()

    def _put(self, index: Any) -> None:
        self.memo[len(self.memo) if index is None else index] = self.stack[-1]

    def _get(self, index: Any) -> None:
        self.stack.append(self.memo[index])

    # Containers

    def _tuple(self, size: int) -> None:
        items = self.stack[-size:]
        if len(items) < size:
            raise UnreadablePickleError("its stack is too short")
        self.stack[-size:] = [tuple(items)]

    def _append(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is list:
            target.extend(items)
        elif type(target) is set:
            target.update(map(self._hashable, items))
        else:
            target.items.extend(items)

    def _set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        pairs = list(zip(items[::2], items[1::2], strict=True))
        if type(target) is dict:
            target.update((self._hashable(key), value) for key, value in pairs)
        else:
            target.items.extend(pairs)

    def _dict(self, _: Any) -> None:
        items = self._marked()
        self.stack.append({})
        self._set_items(items)

    # Names and calls

    def _stack_global(self, _: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        if type(name) is not str or type(module) is not str:
            raise UnreadablePickleError("a name in it is not text")
        self._copy(len(module) + len(name))
        self.stack.append(UnresolvedName(f"{module}.{name}"))

    def _build(self, _: Any) -> None:
        state, made = self.stack.pop(), self.stack[-1]
        if not isinstance(made, UnresolvedCall):
            return
        number = state.get("int") if made.name == "uuid.UUID" and type(state) is dict else None
        if type(number) is int and 0 <= number < 1 << 128:
            made.args = (str(uuid.UUID(int=number)),)
        else:
            made.state = state

    def _call(self, function: Any, args: Any, kwargs: Any = None) -> None:
        self.stack.append(self._called(function, args, kwargs or {}))

    def _called(self, function: Any, args: Any, kwargs: Any) -> Any:
        args = args if type(args) is tuple else (args,)
        name = function.name if type(function) is UnresolvedName else "?"
        if (
            name in ("copyreg._reconstructor", "copy_reg._reconstructor")
            and args
            and type(args[0]) is UnresolvedName
        ):
            return UnresolvedCall(args[0].name)  # how protocols 0 and 1 make an object
        if not kwargs:
            known = self._known(name, args)
            return UnresolvedCall(name, args) if known is None else known
        pairs = kwargs.items() if type(kwargs) is dict else (kwargs,)
        self._copy(len(args) + len(pairs))
        return UnresolvedCall(name, (*args, *pairs))

    def _known(self, name: str, args: tuple[Any, ...]) -> Any:
        """The value of a call of a known constructor, or None."""
        if name == "_codecs.encode" and args and type(args[0]) is str:
            self._copy(len(args[0]))
            return args[0].encode("latin1")  # how protocol 2 writes bytes
        if name in _SETS and len(args) == 1 and type(args[0]) in (list, tuple):
            self._copy(len(args[0]))
            return _SETS[name](map(self._hashable, args[0]))
        if name in _VALUES and all(type(arg) in _PLAIN for arg in args):
            self._copy(sum(len(arg) for arg in args if isinstance(arg, str | bytes)))
            try:
                return _VALUES[name](*args)
            except Exception:  # noqa: BLE001 - the arguments do not fit
                return None
        return None

    def _reduce(self, _: Any) -> None:
        args = self.stack.pop()
        self._call(self.stack.pop(), args)

    def _new_ex(self, _: Any) -> None:
        kwargs, args = self.stack.pop(), self.stack.pop()
        self._call(self.stack.pop(), args, kwargs)

    def _object(self, _: Any) -> None:
        function, *args = self._marked()
        self._call(function, tuple(args))

    def _instance(self, name: str) -> None:
        self._call(UnresolvedName(name.replace(" ", ".")), tuple(self._marked()))

    # Every other instruction pushes its argument.
    _HANDLERS: ClassVar[dict[str, Callable[[_Machine, Any], None]]] = {
        **dict.fromkeys(("PROTO", "FRAME", "READONLY_BUFFER"), lambda self, _: None),
        "MARK": _mark,
        "POP": _pop,
        "POP_MARK": _pop_mark,
        "DUP": lambda self, _: self._push(self.stack[-1]),
        **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _put),
        **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _get),
        "NONE": lambda self, _: self._push(None),
        "NEWTRUE": lambda self, _: self._push(True),
        "NEWFALSE": lambda self, _: self._push(False),
        "EMPTY_LIST": lambda self, _: self._push([]),
        "EMPTY_TUPLE": lambda self, _: self._push(()),
        "EMPTY_DICT": lambda self, _: self._push({}),
        "EMPTY_SET": lambda self, _: self._push(set()),
        "LIST": lambda self, _: self._push(self._marked()),
        "TUPLE": lambda self, _: self._push(tuple(self._marked())),
        "FROZENSET": lambda self, _: self._push(frozenset(map(self._hashable, self._marked()))),
        "DICT": _dict,
        "TUPLE1": lambda self, _: self._tuple(1),
        "TUPLE2": lambda self, _: self._tuple(2),
        "TUPLE3": lambda self, _: self._tuple(3),
        "APPEND": lambda self, _: self._append([self.stack.pop()]),
        **dict.fromkeys(("APPENDS", "ADDITEMS"), lambda self, _: self._append(self._marked())),
        "SETITEM": lambda self, _: self._set_items([self.stack.pop(-2), self.stack.pop()]),
        "SETITEMS": lambda self, _: self._set_items(self._marked()),
        "GLOBAL": lambda self, name: self._push(UnresolvedName(name.replace(" ", "."))),
        "STACK_GLOBAL": _stack_global,
        **dict.fromkeys(("REDUCE", "NEWOBJ"), _reduce),
        "NEWOBJ_EX": _new_ex,
        "OBJ": _object,
        "INST": _instance,
        "BUILD": _build,
        "PERSID": lambda self, pid: self._push(UnresolvedCall("persistent", (pid,))),
        "BINPERSID": lambda self, _: self._push(UnresolvedCall("persistent", (self.stack.pop(),))),
        **dict.fromkeys(
            ("EXT1", "EXT2", "EXT4"),
            lambda self, code: self._push(UnresolvedName(f"extension {code}")),
        ),
        "NEXT_BUFFER": lambda self, _: self._push(UnresolvedCall("buffer")),
    }
