"""Assembles Lua scripts from a file and the shared files that it includes.

``--@include name`` includes ``lua/shared/name.lua`` in a script or in another shared file, because
Redis has no ``require``. A file that is included several times appears once.

Definitions that a script does not use are left out. Each run of a script creates all functions that
the script defines. Creating all shared functions took a third of the time of the script that a busy
worker calls for each job. The loader can see what is used, because the files follow three rules: a
name is defined above its use, a statement begins in the first column, and its other lines are
indented or close it.

``--@rarely name`` marks a function that most runs do not call. Functions that only this one uses
are moved into it, so that they are created only when it is called.
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


def assemble(name: str) -> str:
    """The text of the script ``lua/<name>.lua``, as it is sent to the server."""
    text = _with_includes(name, set())
    statements = _used(list(_statements(text)))
    for rare in _RARELY.findall(text):
        statements = _with_helpers_inside(statements, rare)
    return "\n".join(statements)


def _with_includes(name: str, included: set[str]) -> str:
    def include(found: re.Match[str]) -> str:
        if found[1] in included:
            return ""
        included.add(found[1])
        return _with_includes(f"shared/{found[1]}", included)

    return _INCLUDE.sub(include, (_FOLDER / f"{name}.lua").read_text(encoding="utf-8"))


def _statements(text: str) -> Iterator[str]:
    """The top-level statements, without comments in the first column."""
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
    """The statements that have an effect, and the definitions that these use."""
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


def _with_helpers_inside(statements: list[str], name: str) -> list[str]:
    """The statements, with the functions that only the function ``name`` uses moved inside it."""
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
