"""Putting a Lua script together: a file, the shared parts that it asks for, and no more of them.

A file may say ``--@include name`` for a part under ``lua/shared/``, as may the part itself; Redis
has no ``require``. A part that several ask for is there once.

Lua makes a function anew each time that a script which defines it runs. Those of all shared parts
took a third of the time of the script that a busy worker calls for each job, so what a script does
not use is left out. What that is can be told from the text, because a name is always defined above
its use, and because files are laid out so that a statement begins at the margin and what belongs
to it is indented, or closes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources

_FOLDER = resources.files(__package__) / "lua"

_INCLUDE = re.compile(r"^--@include (\w+)$", re.MULTILINE)
_DEFINES = re.compile(r"local function (\w+)|local (\w+(?:, \w+)*) =")
_CLOSES = re.compile(r"(?:end|else|elseif|until)\b|[})\]]")
_NAME = re.compile(r"[A-Za-z_]\w*")


def assembled(name: str) -> str:
    """The text of the script in ``lua/<name>.lua``, to be sent to the server."""
    return "\n".join(_used(list(_statements(_with_parts(name, set())))))


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
