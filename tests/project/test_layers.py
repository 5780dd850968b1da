"""The layers of the package: which package may import which, and what each keeps out of."""

from __future__ import annotations

import ast
import importlib.util
import re
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "django_rqlite"

# From the bottom up. Each imports only what stands before it, so there is no circle.
ORDER = (
    *("compat", "version", "exceptions", "protocol", "conf", "broker", "process"),
    *("engine", "queries"),
    *("jobs", "signals", "execution", "queues"),
    *("cron", "worker"),
    *("checks", "metrics", "models", "admin", "contrib", "migrations", "templatetags", "urls"),
    *("management", "apps"),
    # django-rq's names. Nothing of ours imports them.
    *("settings", "connection_utils", "decorators", "utils", "workers", "__init__"),
)

# Who must not import what, though it may stand below.
FORBIDDEN = [
    ("", r"rq(\.|$)", "RQ is for tests and benchmarks"),
    ("protocol", r"(django|redis|socket|subprocess)(\.|$)", "protocol does no I/O"),
    ("engine|queries", r"django(\.|$)", "they know no framework"),
    ("worker", r"django_rqlite\.queries", "the read model is for people"),
    ("admin|metrics", r"django_rqlite\.(engine\.scripts|broker\.wire)", "they write with Engine"),
]

MODULES = sorted(PACKAGE.rglob("*.py"))


def test_every_package_has_a_layer() -> None:
    assert {package_of(path) for path in MODULES} <= {*ORDER}


def upward_imports() -> Iterator[str]:
    for path, module in all_imports():
        target = [*module.split("."), "__init__"][1] if is_ours(module) else None
        if target and ORDER.index(target) > ORDER.index(package_of(path)):
            yield f"{name_of(path)} imports {module}"


def circles() -> Iterator[str]:
    """Files that import each other, directly or through others; for typing counts, too."""
    imported: dict[str, set[str]] = {}
    for path, module in all_imports():
        imported.setdefault(module_name(path), set()).add(module)
    for module, others in imported.items():
        others.discard(module)
    while True:
        try:
            TopologicalSorter(imported).prepare()
        except CycleError as exc:
            first, second, *_rest = exc.args[1]
            imported[second].remove(first)
            yield " and ".join(sorted({*exc.args[1]}))
        else:
            return


def forbidden_imports() -> Iterator[str]:
    for path, module in all_imports():
        for package, pattern, reason in FORBIDDEN:
            if re.fullmatch(package or ".*", package_of(path)) and re.match(pattern, module):
                yield f"{name_of(path)} imports {module}: {reason}"


def commands_of_surfaces() -> Iterator[str]:
    """Methods of a client that the admin and the metrics call themselves."""
    for path in MODULES:
        if package_of(path) in ("admin", "metrics"):
            for node in ast.walk(parsed(path)):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    receiver = ast.unparse(node.func.value)
                    if re.search(r"(client|connection)(\(.*\))?$", receiver):
                        yield f"{name_of(path)} calls {ast.unparse(node.func)}()"


def spelled_prefixes() -> Iterator[str]:
    for path in MODULES:
        if path == PACKAGE / "protocol" / "keys.py":
            continue
        # The literal parts of an f-string are constants too; a docstring is an expression.
        nodes = list(ast.walk(parsed(path)))
        prose = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        for node in nodes:
            if isinstance(node, ast.Constant) and id(node) not in prose:
                text = (
                    node.value.decode("latin-1")
                    if isinstance(node.value, bytes)
                    else str(node.value)
                )
                if text.startswith("rq:"):
                    yield f"{name_of(path)} spells {text!r}"
    for path in PACKAGE.rglob("*.lua"):
        if re.search(r"""['"]\s*rq:""", re.sub(r"--.*", "", path.read_text())):
            yield f"{name_of(path)} spells the prefix"


@pytest.mark.parametrize(
    "violations",
    [upward_imports, circles, forbidden_imports, commands_of_surfaces, spelled_prefixes],
)
def test_nothing_breaks_the_layers(violations: Callable[[], Iterator[str]]) -> None:
    assert list(violations()) == []


def all_imports() -> Iterator[tuple[Path, str]]:
    """Each module with each module that it imports, wherever in it and whatever for."""
    for path in MODULES:
        package = ".".join(path.relative_to(ROOT).parent.parts)
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                source = "." * node.level + (node.module or "")
                source = importlib.util.resolve_name(source, package)
                for alias in node.names:
                    whole = f"{source}.{alias.name}"
                    yield path, whole if is_ours(whole) and is_module(whole) else source


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def is_ours(module: str) -> bool:
    return module.split(".")[0] == PACKAGE.name


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or path.is_dir()


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def package_of(path: Path) -> str:
    """Its name in :data:`ORDER`: a package, or a module at the top level."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")
