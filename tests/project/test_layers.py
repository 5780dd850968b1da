"""The drawing of the house, kept true: imports go downwards, and keys are spelled in one place."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).resolve().parent.parent.parent / "django_rqlite"
DESIGN = PACKAGE.parent / "docs/design.md"

# From the ground up. A module may import what stands in its own layer or in one before it.
LAYERS = {
    "errors": {"compat", "exceptions", "version"},
    "vocabulary": {"protocol"},
    "ground": {
        *("conf", "connections", "deadline", "embedded", "handlers", "log_escaping", "oversize"),
        *("own_process", "errors", "trust", "wire"),
    },
    "engine": {"engine"},
    "application API": {
        *("batches", "callables", "callbacks", "classes", "command", "commit", "cron"),
        *("decorators", "execution", "group", "job_data", "job_log", "jobs", "listed_workers"),
        *("options", "outcomes", "parents", "policies", "queues", "registries", "results"),
        *("returned", "schedules", "signals", "statistics", "stored_queue", "suspension"),
    },
    "processes": {"maintenance", "worker"},
    "Django surface": {
        *("admin", "apps", "checks", "contrib", "management"),
        *("migrations", "models", "shown", "tasks", "templatetags", "testing"),
        *("exports", "urls"),
    },
    # By django-rq's names; nothing of ours imports these.
    "façade": {"__init__", "connection_utils", "settings", "utils", "workers"},
}
LAYER_OF = {room: height for height, rooms in enumerate(LAYERS.values()) for room in rooms}

# What must not be imported directly, by which room, and what it should ask instead.
FORBIDDEN = [
    ("", "rq", "rq is for tests and benchmarks"),
    ("protocol", "redis", "the vocabulary does no I/O"),
    ("protocol", "django", "the vocabulary knows no framework"),
    ("engine", "django", "the engine knows no framework; pass it what it needs"),
    ("worker", "django_rqlite.queries.queries", "the read model is for people"),
]

MODULES = sorted(PACKAGE.rglob("*.py"))
LUA_FILES = sorted(PACKAGE.rglob("*.lua"))


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent))


def room_of(path: Path) -> str:
    """The name in :data:`LAYERS` under which a module of the package stands."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything a module imports, wherever in it.

    ``from x import y`` is ``x.y`` if that is a module, else ``x``.
    """
    package = ".".join(path.relative_to(PACKAGE.parent).parent.parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                source = importlib.util.resolve_name("." * node.level + source, package)
            for module in sorted({submodule(source, alias.name) or source for alias in node.names}):
                yield node.lineno, module


def submodule(package: str, name: str) -> str | None:
    """``package.name`` if that is a module of ours, else None."""
    path = PACKAGE.parent.joinpath(*package.split("."), name)
    is_module = path.with_suffix(".py").exists() or path.is_dir()
    return f"{package}.{name}" if is_module else None


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_design_names_it(path: Path) -> None:
    within = path.relative_to(PACKAGE).parts
    # Rooms that have a file for each page, command or table; and what only holds others together.
    if within[0] in ("admin", "management", "migrations", "templatetags", "contrib"):
        return
    if within[-1] == "__init__.py":
        return
    rooms = DESIGN.read_text().partition("## The rooms")[2].partition("\n## ")[0]
    assert re.search(rf"(?<!\w){re.escape(within[-1])}", rooms), f"Name {within[-1]} there."


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_has_a_place(path: Path) -> None:
    assert room_of(path) in LAYER_OF, f"Say in LAYERS on which layer {name_of(path)} stands."


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_downwards(path: Path) -> None:
    height = LAYER_OF.get(room_of(path), len(LAYERS))
    upwards = []
    for line, module in imports_of(path):
        if is_within(module, "django_rqlite"):
            room = (module.split(".")[1:] or ["__init__"])[0]
            if LAYER_OF.get(room, 0) > height:
                upwards.append(f"{name_of(path)}:{line} imports {module}, which stands above it")
    assert not upwards, "\n".join(upwards)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_rooms_keep_out_of_each_others_business(path: Path) -> None:
    trespasses = [
        f"{name_of(path)}:{line} imports {module}: {reason}"
        for line, module in imports_of(path)
        for room, forbidden, reason in FORBIDDEN
        if room in ("", room_of(path)) and is_within(module, forbidden)
    ]
    assert not trespasses, "\n".join(trespasses)


def docstrings_of(tree: ast.Module) -> set[int]:
    """The identities of the nodes that are prose: strings that stand alone as a statement."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def begins_like_a_key(value: object) -> bool:
    """Whether a literal, or the part of an f-string up to its first ``{``, starts with "rq:"."""
    return isinstance(value, str | bytes) and value[:3] in ("rq:", b"rq:")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_the_vocabulary_spells_the_prefix(path: Path) -> None:
    if path == PACKAGE / "protocol" / "keys.py":
        return
    tree = ast.parse(path.read_text())
    prose = docstrings_of(tree)
    spelled = [
        f"{name_of(path)}:{node.lineno} spells {node.value!r}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and id(node) not in prose
        if begins_like_a_key(node.value)
    ]
    assert not spelled, "Names of keys belong to protocol/keys.py:\n" + "\n".join(spelled)


@pytest.mark.parametrize("path", LUA_FILES, ids=name_of)
def test_no_script_spells_the_prefix(path: Path) -> None:
    code = re.sub(r"--.*", "", path.read_text())
    assert not re.search(r"""['"]\s*rq:""", code), f"{name_of(path)}: take the prefix from ARGV."
