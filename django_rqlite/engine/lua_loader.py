"""Putting a Lua script together: a file, the shared parts that it asks for, and no more of them.

A file may say ``--@include name`` for a part under ``lua/shared/``, as may the part itself; Redis
has no ``require``. A part that several ask for is there once.

Lua makes a function anew each time that a script which defines it runs. Those of all shared parts
took a third of the time of the script that a busy worker calls for each job, so what a script does
not use is left out. What that is can be told from the text, because a name is always defined above
its use, and because files are laid out so that a statement begins at the margin and what belongs
to it is indented, or closes it.

A file may also say ``--@rarely name`` of a function that most runs of a script do not call. The
functions that nothing but that one needs are defined inside of it, and so made when it is called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from textwrap import indent

_FOLDER = resources.files(__package__) / "lua"

_INCLUDE = re.compile(r"^--@include (\w+)$", re.MULTILINE)
_RARELY = re.compile(r"^--@rarely (\w+)$", re.MULTILINE)
_DEFINES = re.compile(r"local function (\w+)|local (\w+(?:, \w+)*) =")
_CLOSES = re.compile(r"(?:end|else|elseif|until)\b|[})\]]")
_FUNCTION = re.compile(r"local function (\w+)")
_NAME = re.compile(r"[A-Za-z_]\w*")


def assembled(name: str) -> str:
    """The text of the script in ``lua/<name>.lua``, to be sent to the server."""
    text = _with_parts(name, set())
    statements = _used(list(_statements(text)))
    for rare in _RARELY.findall(text):
        statements = _with_its_own_inside(statements, rare)
    return "\n".join(statements)


def _with_parts(name: str, there: set[str]) -> str:
    def part(included: re.Match[str]) -> str:
        if included[1] in there:
            return ""
        there.add(included[1])
        return _with_parts(f"shared/{included[1]}", there)

    return _INCLUDE.sub(part, (_FOLDER / f"{name}.lua").read_text(encoding="utf-8"))


def _statements(text: str) -> Iterator[str]:
    """The statements at the margin, without comments there."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("--") or not line.strip():
            continue
        if lines and not line[0].isspace() and not _CLOSES.match(line):
            yield "\n".join(lines)
            lines = []
        lines.append(line)
    yield "\n".join(lines)


def _used(statements: list[str]) -> list[str]:
    """Those that do something, and the definitions that they need."""
    kept: list[str] = []
    needed: set[str] = set()
    for statement in reversed(statements):
        defines = _DEFINES.match(statement)
        names = set((defines[1] or defines[2]).split(", ")) if defines else set()
        if names and not names & needed:
            continue
        kept.append(statement)
        needed |= set(_NAME.findall(statement))
    return kept[::-1]


def _with_its_own_inside(statements: list[str], name: str) -> list[str]:
    """The statements, with the functions that only the function ``name`` needs inside of it."""
    names = [set(_NAME.findall(statement)) for statement in statements]
    defined = [found and found[1] for found in map(_FUNCTION.match, statements)]
    if name not in defined:
        return statements
    place = defined.index(name)
    inside = {place}
    for number in reversed(range(place)):
        users = {
            user for user in range(number + 1, len(statements)) if defined[number] in names[user]
        }
        if users and users <= inside:
            inside.add(number)
    head, rest = statements[place].split("\n", 1)
    own = [indent(statements[number], "  ") for number in sorted(inside - {place})]
    whole = "\n".join([head, *own, rest])
    return [
        whole if number == place else statement
        for number, statement in enumerate(statements)
        if number == place or number not in inside
    ]
