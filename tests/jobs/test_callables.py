"""Between a function and the name a worker finds it by."""

from __future__ import annotations

import builtins
import datetime
import functools
import math
import types
from collections.abc import Callable
from typing import Any

import pytest

from django_rqlite.exceptions import InvalidFunctionError, InvalidJobError
from django_rqlite.jobs.callables import (
    MAX_DESCRIPTION_LENGTH,
    call_string,
    description,
    reference,
    resolve,
)
from tests import sample_jobs
from tests.sample_jobs import Greeter

GREETER = Greeter("Hello")


class Outer:
    class Inner:
        @staticmethod
        def answer() -> int:
            return 42

    @classmethod
    def name(cls) -> str:
        return cls.__name__

    async def later(self) -> int:
        return 1

    def __hidden(self) -> None: ...

    @staticmethod
    def __hidden_too() -> None: ...

    @classmethod
    def __hidden_of_all(cls) -> None: ...

    def hidden(self) -> list[Any]:
        return [self.__hidden, Outer.__hidden_too, Outer.__hidden_of_all]


def without_wraps(func: Any) -> Any:
    def inner(*args: Any) -> Any:
        return func(*args)

    return inner


class Base:
    def work(self) -> str:
        return "base"


class Derived(Base):
    def work(self) -> str:
        return "derived"

    def work_of_base(self) -> Any:
        return super().work

    @without_wraps
    def nameless(self) -> int:
        return 1

    def inner(self) -> int:
        return 2


@without_wraps
def nameless() -> int:
    return 1


@functools.lru_cache
def cached(number: int) -> int:
    return number


def gone() -> None: ...


GONE = gone
del gone


def old() -> int:
    return 1


OLD = old


def old() -> int:  # type: ignore[no-redef]
    return 2


class UnshowableValue:
    def __repr__(self) -> str:
        raise RuntimeError("no text")


def local() -> Callable[[], None]:
    def inside() -> None: ...

    return inside


@pytest.mark.parametrize(
    ("func", "name", "instance"),
    [
        (sample_jobs.add, "tests.sample_jobs.add", None),
        (sample_jobs.decorated, "tests.sample_jobs.decorated", None),
        (sample_jobs.add_later, "tests.sample_jobs.add_later", None),
        (Greeter.shout, "tests.sample_jobs.Greeter.shout", None),
        (Outer.Inner.answer, "tests.jobs.test_callables.Outer.Inner.answer", None),
        (GREETER.greet, "greet", GREETER),
        (GREETER, "__call__", GREETER),
        (Outer.name, "name", Outer),
        (len, "builtins.len", None),
        (math.sqrt, "math.sqrt", None),
        ("abc".upper, "upper", "abc"),
        (datetime.date.fromisoformat, "fromisoformat", datetime.date),
        ("tests.sample_jobs.add", "tests.sample_jobs.add", None),
        ("not_here_but_in_the_worker.f", "not_here_but_in_the_worker.f", None),
        ("print", "print", None),
        (cached, "tests.jobs.test_callables.cached", None),
    ],
)
def test_what_a_job_is_named_after(func: object, name: str, instance: object) -> None:
    assert reference(func) == (name, instance)
    if name != "not_here_but_in_the_worker.f" and not isinstance(func, str):
        assert resolve(name, instance) in (func, getattr(func, "__call__", None))  # noqa: B004


def test_a_partial_is_a_callable_instance() -> None:
    partial = functools.partial(sample_jobs.add, 1)
    assert reference(partial) == ("__call__", partial)
    assert resolve("__call__", partial)(2) == 3


def in_main(**attributes: Any) -> Any:
    """A function, or a class, of which Python says that it is defined in ``__main__``."""
    if attributes:
        return type("InMain", (), {"__module__": "__main__", **attributes})
    func = types.FunctionType(sample_jobs.add.__code__, {}, "add")
    func.__module__, func.__qualname__ = "__main__", "add"
    return func


@pytest.mark.parametrize(
    ("func", "said"),
    [
        (lambda: None, r"lambda .*tests\.jobs\.test_callables\..*def at the top level"),
        (local(), r"local\.<locals>\.inside is defined inside another function.*Move it"),
        (in_main(), r"__main__\.add is in __main__.*jobs\.py"),
        ("__main__.add", r"__main__\.add' is in __main__.*jobs\.py"),
        (in_main(f=lambda self: None)().f, r"class in __main__.*Move"),
        (in_main(f=classmethod(lambda cls: None)).f, r"class in __main__.*Move"),
        (in_main(__call__=lambda self: None)(), r"class in __main__.*Move"),
        (Greeter, r"class .*Greeter.* can't be enqueued.*function that makes a Greeter"),
        (None, r"None can't be enqueued.*dotted path"),
        (7, r"7 can't be enqueued"),
        (UnshowableValue(), r"UnshowableValue whose repr raises RuntimeError"),
        ("", r"'' is not a dotted path.*'package\.module\.function'"),
        ("no spaces.here", r"not a dotted path"),
        ("a..b", r"not a dotted path"),
        ("a:b", r"not a dotted path"),
        (".a", r"not a dotted path"),
        ("add", r"'add' .*'package\.module\.add'"),
        *(
            (hidden, r"Outer\.__hidden\w* .*hides '__hidden.*two underscores")
            for hidden in Outer().hidden()
        ),
        (nameless, r"inner is defined inside another function.*functools\.wraps"),
        (Derived().work_of_base(), r"Base\.work of .*looks for 'work'.*something else as 'work'"),
        (Derived().nameless, r"inner of .*looks for 'inner'.*something else.*functools\.wraps"),
        (types.MethodType(sample_jobs.add, GREETER), r"add of .*has no such attribute"),
        (GONE, r"tests\.jobs\.test_callables\.gone.*has nothing to call under that name"),
        (functools.partial(lambda: None), r"The lambda .*def at the top level"),
        (functools.partial(Outer().hidden()[0], 1), r"hides '__hidden'"),
    ],
)
def test_what_no_worker_could_find_is_refused(func: object, said: str) -> None:
    with pytest.raises(InvalidFunctionError, match=said) as caught:
        reference(func)
    assert isinstance(caught.value, InvalidJobError)
    assert isinstance(caught.value, TypeError)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("no_such_module.f", ModuleNotFoundError, r"No module named 'no_such_module'"),
        ("tests.no_such.f", ModuleNotFoundError, r"No module named 'tests\.no_such'"),
        ("tests.sample_jobs.NoSuch.f", ModuleNotFoundError, r"'tests\.sample_jobs\.NoSuch'"),
        ("tests.sample_jobs.no_such", AttributeError, r"no_such"),
        ("tests.sample_jobs.Greeter.no_such", AttributeError, r"no_such"),
        ("no_such_builtin", ModuleNotFoundError, r"no_such_builtin"),
        ("", ModuleNotFoundError, r"No module named ''"),
        ("tests.importable.needs_what_is_missing.work", ModuleNotFoundError, "no_such_dependency"),
        ("tests.importable.needs_what_is_missing.A.b", ModuleNotFoundError, "no_such_dependency"),
        ("tests.importable.raises.work", RuntimeError, "this module has a bad day"),
    ],
)
def test_the_real_error_is_shown(name: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        resolve(name, None)


def test_a_method_that_is_gone() -> None:
    with pytest.raises(AttributeError, match="wave"):
        resolve("wave", GREETER)


def test_builtins_need_no_module() -> None:
    assert resolve("print", None) is builtins.print


def test_descriptions_read_like_calls() -> None:
    assert call_string("m.f", ("x", 1), {"b": 2, "a": None}) == "m.f('x', 1, a=None, b=2)"
    assert call_string("m.f", (), {}) == "m.f()"
    assert call_string("m.f", ("x" * 100,), {}) == f"m.f('{'x' * 74}...)"
    assert "UnshowableValue whose repr raises" in call_string("m.f", (UnshowableValue(),), {})


def test_what_stands_under_the_name_of_a_function_is_what_is_called() -> None:
    assert OLD is not old
    assert reference(OLD) == ("tests.jobs.test_callables.old", None)


def test_a_function_whose_module_is_being_imported_has_no_name_yet() -> None:
    from tests.importable import registers_while_imported

    assert registers_while_imported.NAMES == ["tests.importable.registers_while_imported.work"]


def test_partials_are_described_as_the_calls_that_they_stand_for() -> None:
    def described(func: Any, *args: Any, **kwargs: Any) -> str:
        return description(*reference(func), args, kwargs)

    inner = functools.partial(sample_jobs.add, 1)
    assert described(inner) == "tests.sample_jobs.add(1)"
    assert described(inner, 2) == "tests.sample_jobs.add(1, 2)"
    outer = functools.partial(inner, b=3)
    assert described(outer, b=4) == "tests.sample_jobs.add(1, b=4)"
    assert described(functools.partial(GREETER.greet, "Ann")) == "greet('Ann')"
    assert described(functools.partial(cached, 1)) == "tests.jobs.test_callables.cached(1)"
    # A job that another client enqueued.
    odd = functools.partial(lambda: None)
    assert description("__call__", odd, (), {}).startswith("<function ")


class Counted:
    """Counts how many of its kind were written out."""

    shown = 0

    def __repr__(self) -> str:
        Counted.shown += 1
        return f"Counted({Counted.shown})"


@pytest.mark.parametrize("pack", [list, tuple, set, frozenset, dict.fromkeys])
def test_large_arguments_are_not_written_out_as_a_whole(pack: Callable[[Any], Any]) -> None:
    Counted.shown = 0
    value = pack([Counted() for _ in range(1000)])
    text = call_string("m.f", (value, [[value]]), {"a": {"b": value}})
    assert len(text) < 300
    assert Counted.shown < 50


def test_a_description_is_bounded_as_a_whole() -> None:
    Counted.shown = 0
    text = call_string("m.f", [Counted() for _ in range(50_000)], {})
    assert len(text) <= MAX_DESCRIPTION_LENGTH
    assert text.endswith(", ...)")
    assert Counted.shown < MAX_DESCRIPTION_LENGTH
    named = call_string("m.f", (), {f"a{number:05}": number for number in range(50_000)})
    assert named.startswith("m.f(a00000=0, a00001=1, ")
    assert len(named) <= MAX_DESCRIPTION_LENGTH


@pytest.mark.parametrize(
    "value",
    [
        *([], {}, (), set(), frozenset(), b"x" * 9, "it's", None, 1.5),
        *([1, [2, (3,)]], (1,), (1, 2), {"a": {"b": [1]}}, {1}, frozenset({1})),
    ],
)
def test_small_arguments_are_shown_as_python_writes_them(value: object) -> None:
    assert call_string("m.f", (value,), {}) == f"m.f({value!r})"


def test_data_that_holds_itself_can_be_described() -> None:
    loop: list[Any] = []
    loop.append(loop)
    ring: dict[str, Any] = {}
    ring["a"] = ring
    assert len(call_string("m.f", (loop, ring), {})) < 200
