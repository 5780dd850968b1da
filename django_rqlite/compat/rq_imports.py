"""Finds the places where a project's own apps still import RQ or django-rq.

The source is read; nothing is imported. A file is parsed only if a line of it looks like an import
of one of the packages.
"""

from __future__ import annotations

import ast
import os
import re
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from .missing_names import advice_for

PACKAGES = ("rq", "django_rq")

_SUSPECT = re.compile(rb"^[ \t]*(?:from|import)[ \t].*\b(?:django_)?rq\b", re.MULTILINE)

#: Folders in which no app keeps its code.
_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages", "dist-packages"})


@dataclass(frozen=True, slots=True)
class Import:
    """One import statement.

    Attributes:
        module: Dotted, as it is written.
        names: The imported names; empty if the module itself is imported.
    """

    path: Path
    line: int
    module: str
    names: tuple[str, ...] = ()

    @property
    def statement(self) -> str:
        """The statement, without its ``as`` parts."""
        if not self.names:
            return f"import {self.module}"
        return f"from {self.module} import {', '.join(self.names)}"

    @property
    def instead(self) -> str:
        """The advice for it, in sentences."""
        if self.module.partition(".")[0] == "django_rq":
            return f"Write `{self.statement.replace('django_rq', 'django_rqlite')}`."
        if not self.names:
            return "Import the names that are used from django_rqlite."
        return " ".join(dict.fromkeys(map(advice_for, self.names)))


def find_imports(folders: Iterable[str | Path]) -> list[Import]:
    """Return all import statements of RQ and django-rq below these folders.

    If RQ is not installed, the result is empty: such an import fails by itself. Installed packages
    and imports for type checkers only are skipped.
    """
    if not _is_installed():
        return []
    files: dict[Path, None] = {}
    for folder in folders:
        own = Path(folder).resolve()
        if not _is_installed_package(own):
            files.update(dict.fromkeys(_sources(own)))
    return [found for path in files for found in _imports(path)]


def _is_installed() -> bool:
    spec = find_spec("rq")
    # A module of the project may have this name, too.
    return bool(spec and spec.origin and Path(spec.origin).with_name("job.py").exists())


def _is_installed_package(folder: Path) -> bool:
    if not _SKIPPED.isdisjoint(folder.parts):
        return True
    own = Path(__file__).resolve().parent.parent
    places = [Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "stdlib")]
    return any(folder.is_relative_to(place) for place in (own, *places))


def _sources(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in _SKIPPED and not name.startswith(".")
        )
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        yield from (Path(where, name) for name in sorted(files) if name.endswith(".py"))


def _imports(path: Path) -> Iterator[Import]:
    try:
        source = path.read_bytes()
        if not _SUSPECT.search(source):
            return
        tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError):
        return  # it cannot be imported either
    yield from _statements(path, tree)


def _statements(path: Path, node: ast.AST) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                if alias.name.partition(".")[0] in PACKAGES:
                    yield Import(path, child.lineno, alias.name)
        elif isinstance(child, ast.ImportFrom):
            module = child.module or ""
            if not child.level and module.partition(".")[0] in PACKAGES:
                names = tuple(alias.name for alias in child.names)
                yield Import(path, child.lineno, module, names)
        elif isinstance(child, ast.If) and _is_for_type_checkers(child.test):
            for other in child.orelse:
                yield from _statements(path, ast.Module([other], []))
        else:
            yield from _statements(path, child)


def _is_for_type_checkers(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return bool(name == "TYPE_CHECKING")
