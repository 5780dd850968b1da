"""Values are shown without being loaded, however the bytes were crafted."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import functools
import json
import pickle
import pickletools
import struct
import sys
import time
import uuid
import zlib
from pathlib import Path
from typing import Any

import pytest

from django_rqlite.protocol import safe_repr as inert
from tests.sample_jobs import Greeter

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def shown(value: Any, protocol: int = 5) -> str:
    return inert.show(inert.load(pickle.dumps(value, protocol)))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, 0, -7, 255, 65536, 2**70, -(2**2000), 1.5, "é\n", b"\x00\xff"),
        *([], [1, [2]], (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), {}, {"a": {"b": (1,)}}),
        *(set(), {1}, frozenset({"x"}), bytearray(b"ab"), {(1, ("a",)): 2, None: 3}),
        datetime.date(2026, 11, 3),
        datetime.datetime(2026, 11, 3, 2, 42, 35, tzinfo=datetime.UTC),
        datetime.time(1, 2),
        datetime.timedelta(days=1),
        decimal.Decimal("1.50"),
        ("f", None, ("x",), {"y": [1]}),
    ],
    ids=repr,
)
def test_plain_values_are_shown_as_python_writes_them(value: Any, protocol: int) -> None:
    payload = pickle.dumps(value, protocol)
    assert inert.load(payload) == value
    assert inert.load(zlib.compress(payload)) == value
    assert inert.show(inert.load(payload)) == repr(value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_sharing_and_cycles_stay(protocol: int) -> None:
    shared: list[Any] = [1]
    cycle: list[Any] = [shared, shared]
    cycle.append(cycle)
    loaded = inert.load(pickle.dumps(cycle, protocol))
    assert loaded[0] is loaded[1] == [1]
    assert loaded[2] is loaded
    assert len(inert.show(loaded)) < 3000


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_objects_are_shown_by_their_class_and_state(protocol: int) -> None:
    text = shown(Greeter("Hello"), protocol)
    assert text == "tests.sample_jobs.Greeter() {'greeting': 'Hello'}"


class Colour(enum.Enum):
    RED = "r"


class Odd(dict[str, int]):
    def __setstate__(self, state: object) -> None:
        raise AssertionError("brought to life")


class WithArguments:
    def __new__(cls, *, size: int = 3) -> WithArguments:
        return super().__new__(cls)

    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, int]]:
        return (), {"size": 3}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # Python 3.11.0 to 3.11.3 pickle the member by its name, other versions by its value.
        (
            Colour.RED,
            "getattr(tests.protocol.test_safe_repr.Colour, 'RED')"
            if (3, 11, 0) <= sys.version_info < (3, 11, 4)
            else "Colour('r')",
        ),
        (Greeter, "tests.sample_jobs.Greeter"),
        (functools.partial(len, "ab"), "functools.partial("),
        (collections.OrderedDict(a=1), "OrderedDict()[('a', 1)]"),
        (collections.deque([1, 2]), "collections.deque("),
        (uuid.UUID(int=5), "uuid.UUID('00000000-0000-0000-0000-000000000005')"),
        (Path("a"), "Path('a')"),
        (range(3), "range(0, 3, 1)"),
        (1j, "complex(0.0, 1.0)"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_objects(value: Any, expected: str, protocol: int) -> None:
    assert expected in shown(value, protocol)


def test_subclasses_with_methods_of_their_own() -> None:
    odd = Odd(a=1)
    odd.note = "x"  # type: ignore[attr-defined]
    assert shown(odd) == "tests.protocol.test_safe_repr.Odd()[('a', 1)] {'note': 'x'}"
    assert shown(WithArguments()) == "tests.protocol.test_safe_repr.WithArguments(('size', 3))"


class Evil:
    """Calls its argument when it is unpickled."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call[0], self.call[1:]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nothing_is_called(protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "made"
    payload = pickle.dumps(Evil(open, str(path), "w"), protocol)
    assert f"open({str(path)!r}, 'w')" in inert.show(inert.load(payload))
    assert not path.exists()
    pickle.loads(payload).close()
    assert path.exists(), "the payload would have worked"


@pytest.mark.parametrize(
    "payload",
    [
        b"cno_such_module_a\nname\n.",
        b"\x80\x04\x8c\x11no_such_module_a1\x8c\x04name\x93.",
        b"\x80\x02cno_such_module_a\nname\n)R.",
        b"(ino_such_module_a\nname\n.",
        b"(cno_such_module_a\nname\no.",
        b"\x80\x02cantigravity\nx\n.",
    ],
)
def test_nothing_is_imported(payload: bytes) -> None:
    before = set(sys.modules)
    text = inert.show(inert.load(payload))
    assert text.startswith(("no_such_module_a", "antigravity"))
    assert set(sys.modules) == before
    assert "antigravity" not in sys.modules


def test_persistent_ids_extensions_and_buffers() -> None:
    assert inert.show(inert.load(b"Pa-row\n.")) == "persistent('a-row')"
    assert inert.show(inert.load(b"\x80\x02K\x01Q.")) == "persistent(1)"
    assert inert.show(inert.load(b"\x80\x02\x82\x07.")) == "extension 7"
    assert inert.show(inert.load(b"\x80\x05\x97\x98.")) == "buffer()"


def test_arrays_as_numpy_pickles_them() -> None:
    payload = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\nq\x01K\x00\x85q\x02"
        b"U\x01bq\x03\x87q\x04Rq\x05(K\x01K\x02\x85q\x06cnumpy\ndtype\nq\x07U\x02f8q\x08\x89\x88"
        b"\x87q\tRq\n\x89U\x10" + bytes(16) + b"q\x0btq\x0cb."
    )
    assert inert.show(inert.load(payload)).startswith(
        "numpy.core.multiarray._reconstruct(numpy.ndarray, (0,), 'b') (1, (2,), numpy.dtype("
    )


def test_json() -> None:
    assert inert.load(b'["f", null, [1], {"a": "b"}]') == ["f", None, [1], {"a": "b"}]


GARBAGE = [
    *(b"", b".", b"\x80", b"\x80\x05", b"\x80\x05.", b"\x80\x05N", b"R.", b"\x80\x02)R.", b"hello"),
    *(b"{", b"[1", b"\xff" * 50, b"x\x9c\x03", b"\x80\x02]]s.", b"\x80\x02Na.", b"\x80\x02t."),
    *(b"\x80\x02}K\x01u.", b"\x80\x02h\x05.", b"\x80\x04]\x8c\x01a\x93.", b"\x80\x02\x85."),
    *(b"\x80\x02}]]s.", b"\x80\x04\x8f(]\x90.", b"I9x\n.", b"(0.", b"\x80\x02K\x01\x86."),
]


@pytest.mark.parametrize("payload", GARBAGE)
def test_garbage_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match="neither a pickle nor JSON"):
        inert.load(payload)


def test_a_pickle_cut_or_changed_anywhere_is_read_or_refused() -> None:
    whole = pickle.dumps(("f", Greeter("x"), (1.5, {2}), {"a": datetime.date(2026, 1, 1)}), 2)
    for at in range(len(whole)):
        for changed in (whole[:at], whole[:at] + b"\x00" + whole[at + 1 :], whole[:at] + b"R."):
            try:
                assert isinstance(inert.show(inert.load(changed)), str)
            except ValueError as exc:
                assert "neither" in str(exc)  # noqa: PT017


def nested(opcode: bytes, depth: int) -> bytes:
    return b"\x80\x02" + b")" + opcode * depth


DOUBLING_TUPLE = b"\x80\x02)" + b"2\x86" * 60
#: Small bytes that would take a real unpickler, or whoever shows its value, down.
BOMBS = {
    "text of a doubling tuple": DOUBLING_TUPLE + b".",
    "hash of a doubling tuple": b"\x80\x02}" + DOUBLING_TUPLE[2:] + b"K\x01s.",
    "hash of a deep tuple": b"\x80\x02}" + nested(b"\x85", 400_000)[2:] + b"K\x01s.",
    "a deep tuple": nested(b"\x85", 400_000) + b".",
    "a deep list": b"\x80\x02" + b"]" * 400_000 + b"a" * 399_999 + b".",
    "deep objects": b"\x80\x02" + b"cm\nn\n" * 60_000 + b")" + b"\x85R" * 60_000 + b".",
    "deep JSON": b"[" * 100_000,
    "keys that collide": b"\x80\x02}("
    + b"".join(b"\x8a\x0b" + (k * (2**61 - 1)).to_bytes(11, "little") + b"N" for k in range(99_999))
    + b"u.",
    "doubling keys": b"\x80\x02}(" + b"2\x86N" * 3 + b"u.",
    "a place in the memo far away": b"\x80\x02Nr\xff\xff\xff\x7f.",
    "a long byte array": b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b".",
    "a byte array of a size": b"\x80\x03cbuiltins\nbytearray\n\x8a\x06"
    + (1 << 40).to_bytes(6, "little")
    + b"\x85R.",
    "bytes said again and again": b"\x80\x02X"
    + struct.pack("<I", 1_000_000)
    + b"a" * 1_000_000
    + b"q\x00"
    + b"c_codecs\nencode\nh\x00\x85R" * 10_000
    + b".",
    "sets made again and again": b"\x80\x02]("
    + b"X\x01\x00\x00\x00a" * 50_000
    + b"eq\x00"
    + b"c__builtin__\nset\nh\x00\x85R" * 10_000
    + b".",
    "a name of everything": DOUBLING_TUPLE[:2] + b"\x8c\x01a" + DOUBLING_TUPLE[2:] + b"\x93.",
    "many steps": b"\x80\x02" + b"N0" * 3_000_000 + b"N.",
    "compressed zeros": zlib.compress(bytes(200_000_000), 9),
    "a large number": b"\x80\x02\x8b" + struct.pack("<I", 1_000_000) + b"\x01" * 1_000_000 + b".",
    "a large decimal": b"cdecimal\nDecimal\n(V" + b"9" * 1_000_000 + b"\ntR.",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_do_not_go_off(name: str) -> None:
    before = time.process_time()
    try:
        text = inert.show(inert.load(BOMBS[name]), limit=500)
    except ValueError as exc:
        text = str(exc)
    assert len(text) < 3000
    # Without the limits these take hours or gigabytes, or crash the process.
    assert time.process_time() - before < 30


def test_a_long_text_is_cut() -> None:
    assert inert.show("a" * 5000, limit=100) == "'" + "a" * 99 + "…"
    assert inert.show(list(range(10_000)), limit=10) == "[0, 1, 2, …"


def test_every_instruction_that_a_pickler_writes_is_known() -> None:
    written = set()
    values = (
        *(None, True, 1, 300, 70_000, 2**70, 2**3000, 1.5, "a", "a" * 300, b"a", b"a" * 300),
        *([1, 2], (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), {"a": 1, "b": 2}, {1}, frozenset({1})),
        *(bytearray(b"a"), Greeter("x"), WithArguments(), Greeter, [["x"] * 3]),
    )
    for protocol in PROTOCOLS:
        for value in values:
            if protocol < 2 and isinstance(value, WithArguments):
                continue
            payload = pickle.dumps([value, value, {"k": value}], protocol)
            written |= {opcode.name for opcode, _, _ in pickletools.genops(payload)}
            assert inert.show(inert.load(payload))
    assert len(written) > 45


def test_json_as_it_comes_from_a_queue() -> None:
    call = ["f", None, [1, "é"], {"a": None}]
    assert inert.load(json.dumps(call).encode()) == call
